"""The split: sources of labelled structures, and what of them is held out."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from lah10.config import section
from lah10.config.section import Section


class Source(Section):
    """One origin of labelled structures: a public repository, or a folder of this project."""

    RENAMED: ClassVar[dict[str, str]] = {
        "one_zero": "shared_energy_reference",
        "pulay": "pulay_pv_per_atom",
        "scale": "same_reference_as",
    }

    citation: str = Field(description="Where the structures were published.")
    terms: str = Field(description="Terms of use.")
    repository: str | None = Field(None, description="Address that git can clone.")
    commit: str | None = Field(None, description="Commit of the repository.")
    folder: str = Field(".", description="Folder in the repository.")
    manifest: str | None = Field(
        None, description="File with the SHA-256 of every file that is used."
    )
    path: str | None = Field(
        None, description="Folder in this project, in place of a repository with its manifest."
    )
    shared_energy_reference: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="One code and set-up computed the whole source: all its sets share one "
        "reference of energy.",
    )
    pulay_pv_per_atom: Annotated[float, Field(strict=True, ge=0, le=0.2, allow_inf_nan=False)] = (
        Field(
            0.0,
            description="Pressure times volume per atom, eV, that the labels lack because their "
            "stress holds the number of plane waves fixed (Pulay stress). It is added to the "
            "virials.",
        )
    )
    same_reference_as: str | None = Field(
        None,
        description="Another source, computed alike, whose offsets of energy and pressure in "
        "`alignment` hold for this one.",
    )
    held_out: tuple[str, ...] | Literal["all"] = Field(
        description="Systems or sets to test with, by their path below the source (`ensemble1`, "
        "`r3m/set.009`), or `all`."
    )
    without_energies: tuple[str, ...] | Literal["all"] = Field(
        (), description="Systems whose energies are not trained on, by path, or `all`."
    )

    @model_validator(mode="after")
    def _one_place(self) -> "Source":
        public = (self.repository, self.commit, self.manifest)
        if (all(public) and not self.path) or (self.path and not any(public)):
            return self
        raise section.problem("expected either path, or repository, commit and manifest together")


class Split(Section):
    """Sources, and what of them is held out."""

    sources: dict[str, Source] = Field(description="Sources of labelled structures, by name.")

    @model_validator(mode="after")
    def _references(self) -> "Split":
        own = [name for name, one in self.sources.items() if one.same_reference_as is None]
        for name, source in self.sources.items():
            if source.same_reference_as is not None and source.same_reference_as not in own:
                raise section.rule(
                    f"sources.{name}.same_reference_as",
                    f"a source with a reference of its own ({', '.join(own) or 'there is none'})",
                    source.same_reference_as,
                )
        return self

    def zero_of(self, system: str) -> str:
        """The name under which the energy reference of a system is known.

        That of its source where the source has a shared reference, otherwise its own.
        """
        names = [s for s in self.sources if system == s or system.startswith(f"{s}/")]
        source = max(names, key=len, default=None)
        return source if source and self.sources[source].shared_energy_reference else system
