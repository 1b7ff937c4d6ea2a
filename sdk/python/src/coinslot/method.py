"""Methods made of the functions in calls."""

from __future__ import annotations

import inspect
from functools import update_wrapper
from typing import Any, Callable, TypeVar

C = TypeVar("C", bound=Callable[..., Any])


def as_method(method: C, build: Callable[..., Any]) -> C:
    """A method with the documentation of the function that builds its call, so that
    help() shows the parameters."""
    update_wrapper(method, build)
    signature = inspect.signature(build)
    self_ = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    shown = signature.replace(
        parameters=[self_, *signature.parameters.values()], return_annotation=inspect.Signature.empty
    )
    setattr(method, "__signature__", shown)
    return method
