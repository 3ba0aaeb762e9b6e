"""Runs of `dp train`, and types that several sections of the training share."""

from typing import Annotated

from pydantic import Field

from lah10.config.section import Section

Positive = Annotated[int, Field(ge=1, strict=True)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
Share = Annotated[float, Field(gt=0, le=1)]


class Run(Section):
    """One run of `dp train`."""

    input: str = Field(description="Input of deepmd-kit without data, steps and seeds.")
    steps: Positive = Field(description="Training steps, a multiple of `checkpoint_steps`.")


class Stage(Run):
    """A run of a training from its beginning."""

    shares: dict[str, Share] | None = Field(
        None, description="Shares of this stage, in place of the general `shares`."
    )
