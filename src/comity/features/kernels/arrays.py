"""Columns as the kernels take them: one dimension, contiguous, writable, of one type.

Anything else would be compiled anew, while a member waits.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def column(values: Any, dtype: DTypeLike, rows: int | None = None) -> NDArray[Any]:  # noqa: ANN401 - whatever has rows
    """``values`` as such a column, copied only if it is none yet.

    Raises ValueError if it has not ``rows`` rows: a compiled loop would read past its end.
    """
    array = np.ascontiguousarray(values, dtype)
    if array.ndim != 1 or (rows is not None and array.size != rows):
        raise ValueError(
            f"every column must have {'one dimension' if rows is None else f'{rows} rows'}, got {array.shape}"
        )
    return array if array.flags.writeable else array.copy()
