#include "trainer/learning/network.h"

#include <torch/torch.h>

#include <cmath>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"

namespace antiphon::trainer::learning {
namespace {

constexpr double kNormEpsilon = 1e-5;
constexpr double kNormMomentum = 0.1;

// Levels are half decibels; what lies further than this below a window's loudest cell is taken for
// silence.
constexpr int kDynamicRangeSteps = 120;

enum class Activation { kNone, kRelu, kElu };

// A convolution with its batch norm.
struct ConvLayer {
  std::string name;
  int in_channels, out_channels, kernel_height, kernel_width;
};

// A value in the network: its name in the source, and its shape.
struct Value {
  std::string name;
  int channels, height, width;
};

// Writes the forward function line by line and remembers the parameters that it speaks of.
class SourceWriter {
 public:
  explicit SourceWriter(bool folded) : folded_(folded) {}

  // Time is the height of the image, frequency its width.
  Value Input(const NetworkSpec& spec) {
    source_ << "def forward(self, cells: Tensor) -> Tensor:\n  x = cells.permute([0, 2, 1, "
               "3]).float()\n";
    const bool audio = spec.modality == encoder::Modality::kAudio;
    if (!audio) {
      source_ << "  x = x / 255.0\n";
    } else {
      source_ << "  x = (x - x.amax([1, 2, 3], True) + " << kDynamicRangeSteps
              << ".0).clamp(min=0.0) / " << kDynamicRangeSteps << ".0\n";
    }
    source_ << "  x = x.to(" << (folded_ ? "self.stem_weight.dtype" : "self.compute_type")
            << ").contiguous(memory_format=2)\n";  // 2: channels last
    return {"x", audio ? 1 : 2, spec.settings.window_frames,
            audio ? spec.settings.bands : spec.settings.pitches};
  }

  Value Conv(const std::string& name, const Value& in, int out_channels, int kernel_height,
             int kernel_width, int stride_height, int stride_width, Activation activation) {
    const int pad_height = kernel_height / 2, pad_width = kernel_width / 2;
    layers_.push_back({name, in.channels, out_channels, kernel_height, kernel_width});
    source_ << "  " << name << " = torch.conv2d(" << in.name << ", self." << name << "_weight"
            << (folded_ ? "" : ".to(self.compute_type)") << ", "
            << (folded_ ? "self." + name + "_bias" : std::string("None")) << ", [" << stride_height
            << ", " << stride_width << "], [" << pad_height << ", " << pad_width << "])\n";
    if (!folded_) {
      source_ << "  " << name << " = torch.batch_norm(" << name << ", self." << name
              << "_scale, self." << name << "_shift, self." << name << "_mean, self." << name
              << "_variance, self.training, " << kNormMomentum << ", " << kNormEpsilon
              << ", False)\n";
    }
    if (activation == Activation::kRelu)
      source_ << "  " << name << " = torch.relu_(" << name << ")\n";
    if (activation == Activation::kElu) source_ << "  " << name << " = torch.elu(" << name << ")\n";
    return {name, out_channels, (in.height + 2 * pad_height - kernel_height) / stride_height + 1,
            (in.width + 2 * pad_width - kernel_width) / stride_width + 1};
  }

  // Every other frame.
  Value EveryOtherFrame(const std::string& name, const Value& in) {
    source_ << "  " << name << " = " << in.name << "[:, :, ::2]\n";
    return {name, in.channels, (in.height + 1) / 2, in.width};
  }

  Value AddRelu(const std::string& name, const Value& a, const Value& b) {
    source_ << "  " << name << " = torch.relu_(" << a.name << " + " << b.name << ")\n";
    return {name, a.channels, a.height, a.width};
  }

  Value MaxPool(const std::string& name, const Value& in) {
    source_ << "  " << name << " = torch.max_pool2d(" << in.name << ", [2, 2])\n";
    return {name, in.channels, in.height / 2, in.width / 2};
  }

  // A linear map of every cell of the last feature map: keeps where in time and pitch something
  // was.
  void LinearHead(const Value& in, int dimension) {
    head_inputs_ = in.channels * in.height * in.width;
    head_outputs_ = dimension;
    source_ << "  e = torch.matmul(" << in.name
            << ".float().flatten(1), self.head_weight.float().t())\n";
    Normalise();
  }

  void MeanHead(const Value& in) {
    source_ << "  e = " << in.name << ".float().mean([2, 3])\n";
    Normalise();
  }

  std::string source() const { return source_.str(); }
  const std::vector<ConvLayer>& layers() const { return layers_; }
  int head_inputs() const { return head_inputs_; }  // 0 without a linear head
  int head_outputs() const { return head_outputs_; }

 private:
  void Normalise() { source_ << "  return e / e.norm(2, [1], True).clamp(min=1e-12)\n"; }

  const bool folded_;
  std::ostringstream source_;
  std::vector<ConvLayer> layers_;
  int head_inputs_ = 0, head_outputs_ = 0;
};

// Two 3×3 convolutions around which the input is added (He et al. 2016), through a 1×1 convolution
// where the shape changes.
Value ResidualBlock(SourceWriter& writer, const std::string& name, const Value& in, int channels,
                    int stride) {
  const bool same = stride == 1 && in.channels == channels;
  const Value shortcut =
      same ? in
           : writer.Conv(name + "_shortcut", in, channels, 1, 1, stride, stride, Activation::kNone);
  const Value inner =
      writer.Conv(name + "_a", in, channels, 3, 3, stride, stride, Activation::kRelu);
  const Value outer = writer.Conv(name + "_b", inner, channels, 3, 3, 1, 1, Activation::kNone);
  return writer.AddRelu(name, outer, shortcut);
}

// The stem shrinks both modalities to about 21 × 44 at once, where most of the time would go.
void WriteResidual(SourceWriter& writer, const NetworkSpec& spec) {
  constexpr int kWidths[] = {32, 48, 96, 160};
  const Value input = writer.Input(spec);
  Value x =
      writer.Conv("stem", input, kWidths[0], 5, 7, 2, input.width > 128 ? 4 : 2, Activation::kRelu);
  for (int stage = 0; stage < 4; ++stage) {
    x = ResidualBlock(writer, "stage" + std::to_string(stage), x, kWidths[stage],
                      stage == 0 ? 1 : 2);
  }
  writer.LinearHead(x, spec.dimension);
}

// Wider, and with a stem that keeps every frame: the first block makes one of two, having seen
// both.
void WriteResidualFine(SourceWriter& writer, const NetworkSpec& spec) {
  constexpr int kWidths[] = {32, 64, 128, 192};
  const Value input = writer.Input(spec);
  const Value stem =
      writer.Conv("stem", input, kWidths[0], 5, 7, 1, input.width > 128 ? 4 : 2, Activation::kRelu);
  const Value shortcut = writer.EveryOtherFrame("stage0_shortcut", stem);
  const Value inner = writer.Conv("stage0_a", stem, kWidths[0], 5, 3, 2, 1, Activation::kRelu);
  const Value outer = writer.Conv("stage0_b", inner, kWidths[0], 3, 3, 1, 1, Activation::kNone);
  Value x = writer.AddRelu("stage0", outer, shortcut);
  for (int stage = 1; stage < 4; ++stage) {
    x = ResidualBlock(writer, "stage" + std::to_string(stage), x, kWidths[stage], 2);
  }
  writer.LinearHead(x, spec.dimension);
}

void WriteDorfer2018(SourceWriter& writer, const NetworkSpec& spec) {
  constexpr int kWidths[] = {24, 48, 96, 96};
  Value x = writer.Input(spec);
  for (int block = 0; block < 4; ++block) {
    const std::string name = block == 0 ? "stem" : "block" + std::to_string(block);
    x = writer.Conv(name, x, kWidths[block], 3, 3, 1, 1, Activation::kElu);
    x = writer.Conv(name + "_b", x, kWidths[block], 3, 3, 1, 1, Activation::kElu);
    x = writer.MaxPool(name + "_pool", x);
  }
  writer.MeanHead(writer.Conv("embedding", x, spec.dimension, 1, 1, 1, 1, Activation::kNone));
}

SourceWriter Write(const NetworkSpec& spec, bool folded) {
  SourceWriter writer(folded);
  switch (spec.architecture) {
    case Architecture::kResidual:
      WriteResidual(writer, spec);
      break;
    case Architecture::kResidualFine:
      WriteResidualFine(writer, spec);
      break;
    case Architecture::kDorfer2018:
      WriteDorfer2018(writer, spec);
      break;
  }
  return writer;
}

torch::Tensor Draw(at::IntArrayRef shape, double deviation, torch::Generator& generator) {
  return torch::randn(shape, generator) * deviation;
}

}  // namespace

std::string NetworkSource(const NetworkSpec& spec, bool folded) {
  return Write(spec, folded).source();
}

torch::jit::Module MakeTrainable(const NetworkSpec& spec, uint64_t seed, torch::Dtype compute) {
  const SourceWriter writer = Write(spec, /*folded=*/false);
  torch::Generator generator = at::detail::createCPUGenerator(seed);
  torch::jit::Module module("Encoder");
  module.register_attribute("training", c10::BoolType::get(), true);
  module.register_attribute("compute_type", c10::IntType::get(), static_cast<int64_t>(compute));
  for (const ConvLayer& layer : writer.layers()) {
    const int fan_in = layer.in_channels * layer.kernel_height * layer.kernel_width;
    const torch::Tensor weight =
        Draw({layer.out_channels, layer.in_channels, layer.kernel_height, layer.kernel_width},
             std::sqrt(2.0 / fan_in), generator);
    module.register_parameter(layer.name + "_weight",
                              weight.contiguous(torch::MemoryFormat::ChannelsLast), false);
    module.register_parameter(layer.name + "_scale", torch::ones(layer.out_channels), false);
    module.register_parameter(layer.name + "_shift", torch::zeros(layer.out_channels), false);
    module.register_buffer(layer.name + "_mean", torch::zeros(layer.out_channels));
    module.register_buffer(layer.name + "_variance", torch::ones(layer.out_channels));
  }
  if (writer.head_inputs() > 0) {
    module.register_parameter("head_weight",
                              Draw({writer.head_outputs(), writer.head_inputs()},
                                   std::sqrt(1.0 / writer.head_inputs()), generator),
                              false);
  }
  module.define(writer.source());
  return module;
}

absl::Status Grow(const torch::jit::Module& from, torch::jit::Module& into) {
  const torch::NoGradGuard no_gradients;
  const auto grow = [&into](const std::string& name, const torch::Tensor& small) {
    if (!into.hasattr(name)) return false;
    torch::Tensor large = into.attr(name).toTensor();
    if (large.dim() != small.dim()) return false;
    for (int64_t d = 0; d < large.dim(); ++d) {
      if (large.size(d) < small.size(d)) return false;
    }
    torch::Tensor rows = large.slice(0, 0, small.size(0));
    if (large.dim() == 1) {
      rows.copy_(small);
      return true;
    }
    // What is new is not listened to at first, by what was there.
    rows.zero_();
    torch::Tensor known = rows.slice(1, 0, small.size(1));
    for (int64_t d = 2; d < large.dim(); ++d) {
      const int64_t apart = small.size(d) > 1 ? (large.size(d) - 1) / (small.size(d) - 1) : 1;
      const int64_t first = (large.size(d) - 1 - apart * (small.size(d) - 1)) / 2;
      known = known.slice(d, first, first + apart * (small.size(d) - 1) + 1, apart);
    }
    known.copy_(small);
    return true;
  };
  for (const auto& [name, value] : from.named_parameters()) {
    if (!grow(name, value))
      return absl::InvalidArgumentError(absl::StrCat("no room for its ", name));
  }
  for (const auto& [name, value] : from.named_buffers()) {
    if (!grow(name, value))
      return absl::InvalidArgumentError(absl::StrCat("no room for its ", name));
  }
  return absl::OkStatus();
}

torch::jit::Module FoldForExport(const NetworkSpec& spec, const torch::jit::Module& trained,
                                 torch::Dtype stored) {
  const torch::NoGradGuard no_gradients;
  const SourceWriter writer = Write(spec, /*folded=*/true);
  torch::jit::Module module("Encoder");
  module.register_attribute("training", c10::BoolType::get(), false);
  const auto value = [&trained](const std::string& name) {
    return trained.attr(name).toTensor().detach().to(torch::kCPU);
  };
  for (const ConvLayer& layer : writer.layers()) {
    const torch::Tensor gain =
        value(layer.name + "_scale") / torch::sqrt(value(layer.name + "_variance") + kNormEpsilon);
    const torch::Tensor weight = value(layer.name + "_weight") * gain.view({-1, 1, 1, 1});
    const torch::Tensor bias = value(layer.name + "_shift") - value(layer.name + "_mean") * gain;
    module.register_parameter(layer.name + "_weight",
                              weight.to(stored).contiguous(torch::MemoryFormat::ChannelsLast),
                              false);
    module.register_parameter(layer.name + "_bias", bias.to(stored), false);
  }
  if (writer.head_inputs() > 0)
    module.register_parameter("head_weight", value("head_weight").to(stored), false);
  module.define(writer.source());
  module.eval();
  return module;
}

}  // namespace antiphon::trainer::learning
