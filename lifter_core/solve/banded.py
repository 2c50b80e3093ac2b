"""Linear equations of a whole clip: each frame is coupled to the next two, so the matrix is a band of blocks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def solve_band(diagonal: Array, next_one: Array, next_two: Array, right: Array) -> Array:
    """Solves the symmetric positive definite block-pentadiagonal system by block elimination of pairs of frames.

    Args:
        diagonal: (T, n, n); next_one: (T-1, n, n) rows of frame t+1, columns of frame t; next_two: (T-2, n) the diagonals
            of the blocks that couple frame t+2 to frame t; right: (T, n, m), m right-hand sides.

    Returns:
        (T, n, m). Time and memory grow with T n^3 and T n^2.
    """
    count, n, sides = right.shape
    pairs = (count + 1) // 2
    own = np.zeros((pairs, 2 * n, 2 * n))
    below = np.zeros((pairs - 1, 2 * n, 2 * n))  # rows of pair k+1, columns of pair k
    g = np.zeros((pairs, 2 * n, sides))
    odd = count // 2
    own[:, :n, :n], g[:, :n] = diagonal[::2], right[::2]
    own[:odd, n:, n:], g[:odd, n:] = diagonal[1::2], right[1::2]
    own[:odd, n:, :n] = next_one[::2]
    own[:odd, :n, n:] = next_one[::2].transpose(0, 2, 1)
    if odd < pairs:  # the last pair is half empty
        own[-1, n:, n:] = np.eye(n)
    below[:, :n, n:] = next_one[1::2]
    index = np.arange(n)
    below[:, index, index] = next_two[::2]
    upper = next_two[1::2]
    below[: len(upper), n + index, n + index] = upper

    gain = np.empty((max(pairs - 1, 0), 2 * n, 2 * n))
    x = np.empty((pairs, 2 * n, sides))
    for k in range(pairs - 1):
        both = np.linalg.solve(own[k], np.concatenate([below[k].T, g[k]], 1))
        gain[k], x[k] = both[:, : 2 * n], both[:, 2 * n :]
        own[k + 1] -= below[k] @ gain[k]
        g[k + 1] -= below[k] @ x[k]
    x[-1] = np.linalg.solve(own[-1], g[-1])
    for k in range(pairs - 2, -1, -1):
        x[k] -= gain[k] @ x[k + 1]
    return x.reshape(2 * pairs, n, sides)[:count]
