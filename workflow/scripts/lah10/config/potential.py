"""Section `potential`: the deep potential and its committee."""

from pydantic import Field, model_validator

from lah10.config import section
from lah10.config.section import Section

#: The potential that comes with the project, and the second model of its committee.
SHIPPED = "resources/potentials/lah10/lah10.pb"
SHIPPED_COMMITTEE = ("resources/potentials/lah10-2/lah10.pb",)


class Potential(Section):
    model: str = Field(
        SHIPPED,
        description="Deep potential for La and H: a frozen DeePMD graph, compressed for speed.",
    )
    committee: tuple[str, ...] = Field(
        default_factory=lambda known: SHIPPED_COMMITTEE if known.get("model") == SHIPPED else (),
        description="Further graphs. The spread of the forces is `model_deviation`, which shows "
        "where the potential extrapolates. Only stored frames are evaluated: a few percent of the "
        "time. The default belongs to the default model; another model has none, and a shipped "
        "model in its committee is refused.",
    )

    @model_validator(mode="after")
    def _others(self) -> "Potential":
        for i, path in enumerate(self.committee):
            if path in (self.model, *self.committee[:i]):
                raise section.rule(
                    "committee", "models that differ from potential.model and each other",
                    f"{path} twice",
                )  # fmt: skip
        return self
