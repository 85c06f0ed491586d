"""Rules as straight bars."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from hwtranscribe.imaging.rules.find import Rules


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Rules of one direction as straight bars; `across` = `slope` times `along` + `offset`.

    Attributes:
        low: First px along.
        high: Last px along.
        slope: px across per px along.
        offset: Across at 0 along, px.
    """

    low: Float64[np.ndarray, " n"]
    high: Float64[np.ndarray, " n"]
    slope: Float64[np.ndarray, " n"]
    offset: Float64[np.ndarray, " n"]

    def chosen(self, keep: Bool[np.ndarray, " n"]) -> "Bars":
        """Some of them."""
        return Bars(self.low[keep], self.high[keep], self.slope[keep], self.offset[keep])

    @property
    def middle(self) -> Float64[np.ndarray, " n"]:
        """Along."""
        return (self.low + self.high) / 2

    @property
    def length(self) -> Float64[np.ndarray, " n"]:
        """Along, px."""
        return self.high - self.low + 1

    def place_at(self, along_px: float, slope: float) -> Float64[np.ndarray, " n"]:
        """Across, where bars would be at a place along if all of them leant alike.

        The slope of a short piece is mostly that of its ends; so each goes on from its middle with a common one.

        Args:
            along_px: The place.
            slope: Of all, px across per px along.
        """
        return self.slope * self.middle + self.offset + slope * (along_px - self.middle)


def bars_of(rules: Rules) -> Bars:
    """Return the straight bars that rules are, by least squares."""
    along, across = (rules.ys, rules.xs) if rules.upright else (rules.xs, rules.ys)
    count, owner = len(rules), rules.owner
    size = np.maximum(np.bincount(owner, minlength=count), 1)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, owner, along)
    np.maximum.at(high, owner, along)
    x_mean = np.bincount(owner, weights=along, minlength=count) / size
    y_mean = np.bincount(owner, weights=across, minlength=count) / size
    x, y = along - x_mean[owner], across - y_mean[owner]
    spread = np.bincount(owner, weights=x * x, minlength=count)
    slope = np.bincount(owner, weights=x * y, minlength=count) / np.maximum(spread, 1e-9)
    # The slope of a short piece is mostly that of its ends.
    slope[high - low < 20 * rules.thickness_px] = 0.0
    return Bars(low, high, slope, y_mean - slope * x_mean)
