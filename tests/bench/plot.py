"""Lines and points as SVG, without a library for it."""

import html
import math

WIDTH, HEIGHT = 640, 360
LEFT, TOP, BOTTOM = 76, 36, 52
LEGEND, LETTER = 24, 7  # where its names begin, and how wide a letter is at most on average
COLOURS = ("#1f4e79", "#c0504d", "#4f8a3c", "#8064a2", "#d98e04", "#2a9d9d", "#7f7f7f", "#b0307a")


class Axis:
    """From values, of which there is one at least, to places along a length, and the ticks
    between."""

    def __init__(self, values, length, logarithmic):
        self._length, self._log = length, logarithmic
        low, high = min(values), max(values)
        if logarithmic:
            self._low, self._high = low / 1.2, high * 1.2
        elif low > high / 2:  # near each other: their differences are what is to be seen
            self._low, self._high = low - (high - low) / 10 - 1e-6, high + (high - low) / 10 + 1e-6
        else:
            self._low, self._high = min(0, low), high * 1.05 or 1

    def place(self, value):
        scale = math.log if self._log else float
        return self._length * ((scale(value) - scale(self._low)) /
                               (scale(self._high) - scale(self._low)))

    def ticks(self):
        if self._log:
            tens = range(math.floor(math.log10(self._low)), math.ceil(math.log10(self._high)) + 1)
            found = [step * 10.0**ten for ten in tens for step in (1, 2, 5)]
        else:
            step = 10.0**math.floor(math.log10((self._high - self._low) / 4))
            step *= next(by for by in (1, 2, 5, 10) if (self._high - self._low) / (by * step) <= 6)
            found = [step * i for i in range(math.floor(self._low / step),
                                             math.ceil(self._high / step) + 1)]
        return [tick for tick in found if self._low <= tick <= self._high]


def _text(x, y, words, anchor="start", more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>'
            f'{html.escape(words)}</text>')


def _frame(title, x_label, y_label, x_axis, y_axis):
    bottom, right = TOP + HEIGHT, LEFT + WIDTH
    parts = [f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" '
             'stroke="#999"/>', _text(LEFT, TOP - 14, title, more='font-size="14"'),
             _text((LEFT + right) / 2, bottom + 40, x_label, "middle"),
             _text(16, (TOP + bottom) / 2, y_label, "middle",
                   f'transform="rotate(-90 16 {(TOP + bottom) / 2:.0f})"')]
    for tick in x_axis.ticks():
        x = LEFT + x_axis.place(tick)
        parts += [f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#eee"/>',
                  _text(x, bottom + 18, f"{tick:,g}", "middle")]
    for tick in y_axis.ticks():
        y = bottom - y_axis.place(tick)
        parts += [f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#eee"/>',
                  _text(LEFT - 8, y + 4, f"{tick:,g}", "end")]
    return parts


def chart(path, title, x_label, y_label, series, log_x=False, log_y=False):
    """Writes `series`, lists of (x, y) by name, each with a line through its points in their order.
    Values are > 0 on a logarithmic axis. Without any point it writes nothing, and says so."""
    if not any(series.values()):
        print(f"skipped: {path} ({title}: there is no point to draw)")
        return
    x_axis = Axis([x for points in series.values() for x, _ in points], WIDTH, log_x)
    y_axis = Axis([y for points in series.values() for _, y in points], HEIGHT, log_y)
    parts = _frame(title, x_label, y_label, x_axis, y_axis)
    for row, (name, points) in enumerate(series.items()):
        colour = COLOURS[row % len(COLOURS)]
        dashes = f'stroke-dasharray="{4 * (row // len(COLOURS))} 3"' if row >= len(COLOURS) else ""
        places = [(LEFT + x_axis.place(x), TOP + HEIGHT - y_axis.place(y))
                  for x, y in points]
        parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}" '
                     f'fill="none" stroke="{colour}" stroke-width="1.6" {dashes}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        y = TOP + 12 + 18 * row
        parts += [f'<circle cx="{LEFT + WIDTH + 14}" cy="{y - 4}" r="4" fill="{colour}"/>',
                  _text(LEFT + WIDTH + LEGEND, y, name)]
    width = LEFT + WIDTH + LEGEND + LETTER * max(map(len, series)) + LETTER
    height = TOP + HEIGHT + BOTTOM
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        + "\n".join(parts) + "\n</svg>\n", encoding="utf-8")
