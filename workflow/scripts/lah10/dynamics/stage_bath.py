"""The bath of a stage: its spectrum recorder, its adaptation, and what production takes from it."""

import numpy as np
import xarray as xr

from lah10 import ELEMENTS
from lah10.bath.adaptive import Adaptation
from lah10.bath.bath import Bath
from lah10.bath.spectrum_recorder import SpectrumRecorder
from lah10.dynamics.checkpoint import Checkpoints
from lah10.dynamics.job import Job
from lah10.units import BOLTZMANN, MVV2E


class StageBath:
    """The bath that a job asks for, segment by segment.

    Parameters
    ----------
    job : Job
    types : (n,) int
        Index into `lah10.ELEMENTS` of each atom.
    masses : (n,) float
        g/mol.
    timestep : float
        ps.
    comm : mpi4py communicator, optional
    """

    def __init__(
        self, job: Job, types: np.ndarray, masses: np.ndarray, timestep: float, comm=None
    ):
        self.job, self.types, self.masses = job, types, masses
        self.timestep, self.comm = timestep, comm

    @property
    def element_masses(self) -> np.ndarray:
        """(elements,) g/mol."""
        return np.array([self.masses[self.types == kind][0] for kind in range(len(ELEMENTS))])

    def recorder(self) -> tuple[SpectrumRecorder | None, int]:
        """A recorder of spectra where the stage needs one, and the steps between its samples."""
        needed = self.job.bath == "adqtb" or self.job.bath_options.get("shift_pressure")
        if self.job.stage != "produce" and not needed:
            return None, 0
        every = self.job.steps("spectrum_interval_fs")
        samples = self.job.steps("spectrum_segment_ps") // every
        recorder = SpectrumRecorder(
            self.types, every * self.timestep, samples, self.job.dynamics["spectrum_atoms"]
        )
        return recorder, every

    def of_segment(
        self, recorder: SpectrumRecorder | None, every: int, number: int, checkpoints: Checkpoints
    ) -> tuple[Bath, Adaptation | None]:
        """The bath of segment `number` and, where an adaptive bath equilibrates, its adaptation.

        An adaptation goes on from the segment before, which is in `checkpoints`.
        """
        job, options = self.job, self.job.bath_options
        adapts = job.bath == "adqtb" and job.stage == "equilibrate"
        bath = Bath(
            job.bath,
            job.temperature_K,
            options["friction_per_ps"],
            options["cutoff_THz"],
            self.masses,
            self.types,
            self.timestep,
            job.number("noise", 63),
            correction=options.get("correction", "none"),
            block=recorder.samples * every if adapts else None,
            comm=self.comm,
        )
        if not adapts:
            if job.bath == "adqtb":
                bath.set_random_friction(recorder.frequency, self.adapted_friction(recorder))
            return bath, None
        adaptation = self.adaptation(recorder)
        if number > 1:
            adaptation.restore(checkpoints.load(number - 1))
            bath.set_random_friction(recorder.frequency, adaptation.random_friction)
        return bath, adaptation

    def adaptation(self, recorder: SpectrumRecorder) -> Adaptation:
        """The adaptation of γ_r at its start, on a recorder's frequencies."""
        options = self.job.bath_options
        return Adaptation(
            recorder.frequency,
            self.element_masses,
            options["friction_per_ps"],
            options["adaptation_rate"],
        )

    def adapted_friction(self, recorder: SpectrumRecorder) -> np.ndarray:
        """γ_r that the equilibration settled on (elements, frequencies), 1/ps."""
        with xr.open_dataset(self.job.equilibration) as data:
            grid, settled = data["frequency"].values, data["random_friction"].values
        return np.array([np.interp(recorder.frequency, grid, row) for row in settled])

    def pressure_shift(self) -> float:
        """By how much production sets its barostat higher, GPa (`bath.deconvolution`)."""
        if self.job.stage != "produce" or not self.job.bath_options.get("shift_pressure"):
            return 0.0
        with xr.open_dataset(self.job.equilibration) as data:
            return float(data.get("pressure_shift", 0.0))

    def estimated_pressure_shift(self, blocks: np.ndarray, volume: np.ndarray) -> float:
        """What friction added to the kinetic pressure in the later half of a stage, GPa.

        Parameters
        ----------
        blocks : (blocks, elements, frequencies) float
            Velocity spectra of the stage, in its order.
        volume : (times,) float
            Å3.
        """
        from lah10.bath import deconvolution

        recorder, _ = self.recorder()
        power = blocks[len(blocks) // 2 :].mean(axis=0)
        bath = deconvolution.BathParameters(
            self.job.bath,
            self.job.temperature_K,
            self.job.bath_options["friction_per_ps"],
            self.job.bath_options["cutoff_THz"],
            self.timestep,
            self.job.bath_options.get("correction", "none"),
        )
        inversion = deconvolution.Deconvolution(recorder.frequency, bath)
        raw, sharp = inversion.energies(power * self.element_masses[:, None] * MVV2E)
        counts = np.bincount(self.types, minlength=len(ELEMENTS))
        return deconvolution.pressure_shift(
            raw / BOLTZMANN, sharp / BOLTZMANN, 3 * counts, volume[len(volume) // 2 :].mean()
        )
