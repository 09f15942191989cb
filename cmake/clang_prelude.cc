// A target needs a source; this one stands for clang_prelude.h.
