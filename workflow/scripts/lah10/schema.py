"""The variables, flags and names of every dataset that a campaign writes: the one table.

A variable has dimensions, a unit and a long name. With a measured variable `x` goes
`x_stderr`, its standard error, or for a few `x_spread` (see `SPREADS`). Units are those of
`lah10.units`; temperatures of energies are E/k_B. Dimensions are those of one point: a campaign's
dataset has bath, pressure and temperature before them.

A dry run may import this module: it loads nothing.

Names that changed
------------------
`FORMER` lists them. A campaign's dataset (phase_diagram.nc) holds each such variable once more
under its former name, with the attribute `alias_of`, for one release: version 0.2 drops them.
Files of either generation open through `lah10.analysis.dataset.read`, which gives the names of
this table.
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import xarray as xr

#: Order of the baths along the `bath` dimension.
BATHS = ("classical", "qtb", "adqtb", "pimd")

#: ⟨111⟩ axes that the rhombohedral distortion of a cage can choose, and none of them.
VARIANTS = ("111", "-111", "1-11", "11-1", "none")

#: Atoms of a ring that changed places; the last class holds all larger ones. Sites of H.
RINGS, WYCKOFF = ("2", "3", "4", "5", "6+"), ("8c", "32f")
#: Exchanges that a proton took part in; what an atom of a typical trajectory is.
EXCHANGE_CLASSES, ROLES = ("none", "one", "several"), ("proton", "partner", "lanthanum")

#: Why a point holds no numbers.
STATUS = {"ok": 0, "missing": 1, "lost_atoms": 2, "nan": 3, "volume": 4, "temperature": 5,
          "too_short": 6, "crashed": 7, "unreadable": 8}  # fmt: skip

#: Verdict of `lah10.analysis.distortion`; the attribute phase_reason gives the reason.
PHASE = {"undetermined": -1, "cubic": 0, "distorted": 1}

#: Verdict of `lah10.analysis.diagnostics`; the attribute quantum_bath_reason gives the reason.
BATH_OK = {"not_applicable": -1, "not_ok": 0, "ok": 1, "undetermined": 2}

#: Verdict of `lah10.analysis.diagnostics` on where the potential was used.
EXTRAPOLATION = {"not_evaluated": -1, "inside": 0, "outside": 1}

#: Whether the cubic and the distorted start of a point end in different phases; not known with one
#: start, or where a phase is undetermined.
HYSTERESIS = {"not_known": -1, "none": 0, "hysteresis": 1}

#: Integer variables whose values have names.
FLAGS = {"status": STATUS, "phase": PHASE, "quantum_bath_ok": BATH_OK,
         "extrapolation": EXTRAPOLATION}  # fmt: skip
#: Of points with two starts (`lah10.campaign.starts`), in a campaign's dataset alone.
START_FLAGS = {"hysteresis": HYSTERESIS, "distorted_start_phase": PHASE,
               "distorted_start_status": STATUS}  # fmt: skip

#: Long names of the flags.
MEANINGS = {
    "status": "outcome of the point",
    "phase": "phase by the distortion angle",
    "quantum_bath_ok": "whether the quantum bath is within its limits",
    "extrapolation": "whether the committee deviates as it does beyond its data",
    "hysteresis": "whether the cubic and the distorted start end in different phases",
    "distorted_start_phase": "phase of the run that started from R-3m",
    "distorted_start_status": "outcome of the run that started from R-3m",
}


class Variable(NamedTuple):
    """A variable's dimensions, unit (UDUNITS) and long name."""

    dims: tuple[str, ...]
    units: str
    long_name: str


class Provenance(NamedTuple):
    """An attribute of a point that becomes a variable of the campaign's dataset."""

    kind: type
    units: str
    long_name: str


Table = dict[str, Variable]

_ELEMENT = ("element",)


def _table(rows: dict[str, tuple]) -> Table:
    return {name: Variable(*row) for name, row in rows.items()}


#: Hops and exchanges of atoms, a part of `SUMMARY` (`lah10.analysis.exchanges`).
EXCHANGES: Table = _table({
    "exchange_events": (_ELEMENT, "1", "events seen: rings of atoms that changed places, and "
                        "hops that do not close to a ring"),
    "hop_rate": (_ELEMENT, "ps-1", "hops per atom and time"),
    "hop_rate_limit": (_ELEMENT, "ps-1", "upper limit of the rate of hops at 95 % confidence "
                       "where none was seen"),
    "exchange_rate": (_ELEMENT, "ps-1", "exchanges (closed rings of atoms) per atom and time"),
    "exchange_rate_limit": (_ELEMENT, "ps-1", "upper limit of the rate of exchanges at 95 % "
                            "confidence where none was seen"),
    "ring_rate": (("ring",), "ps-1", "exchanges per proton and time, by the atoms in the ring"),
    "ring_rate_limit": (("ring",), "ps-1", "upper limit of the rate of such rings at 95 % "
                        "confidence where none was seen"),
    "exchange_dispersion": (_ELEMENT, "1", "variance over mean of the number of events in "
                            "equal parts of the run; above 1 they come in bursts and Poisson "
                            "errors are too small"),
    "dwell_time": (_ELEMENT, "ps", "mean time between two hops of an atom"),
    "hop_length": (_ELEMENT, "angstrom", "rms length of a hop"),
    "hop_correlation": (_ELEMENT, "1", "correlation factor of the hops: 1 for a random walk, "
                        "less where atoms hop back"),
    "diffusion_hops": (_ELEMENT, "cm2 s-1", "diffusion coefficient by the hops between sites; "
                       "the dynamics of a quantum thermal bath is approximate"),
    "site_occupancy": (("wyckoff",), "1", "mean number of protons to which a site is the nearest"),
    "vacant_share": ((), "1", "share of the H sites that are nearest to no proton"),
    "double_share": ((), "1", "share of the H sites that are nearest to more than one proton"),
})  # fmt: skip

#: summary.nc of a point of any bath, and with its grid phase_diagram.nc. All variables are there
#: whatever became of the point: NaN where it has no value.
SUMMARY: Table = _table({
    # distortion
    "theta_large": ((), "degree", "largest class mean of the distortion angle"),
    "theta_small": ((), "degree", "smallest class mean of the distortion angle"),
    "theta_deviation": ((), "degree", "largest deviation of the distortion angle from 90 degree"),
    "theta_null": ((), "degree", "deviation expected of a cubic crystal with the same noise"),
    "theta_threshold": ((), "degree", "theta deviation above which the point counts as distorted"),
    "theta_upper": ((), "degree", "theta deviation that is excluded, two standard errors above "
                    "the measured one"),
    "theta_centres_large": ((), "degree", "largest class mean of the angle between the lines from "
                            "La to the quadrilateral centres"),
    "theta_centres_small": ((), "degree", "smallest class mean of the angle between the lines from "
                            "La to the quadrilateral centres"),
    "corner_angle_large": ((), "degree", "largest mean corner angle of the quadrilaterals"),
    "corner_angle_small": ((), "degree", "smallest mean corner angle of the quadrilaterals"),
    "cell_angle_alpha": ((), "degree", "mean cell angle alpha"),
    "cell_angle_beta": ((), "degree", "mean cell angle beta"),
    "cell_angle_gamma": ((), "degree", "mean cell angle gamma"),
    "local_distortion": ((), "degree", "mean distortion of a cage within a time window"),
    "local_distortion_null": ((), "degree", "local distortion expected of cubic cages with the "
                              "same noise"),
    "local_distortion_threshold": ((), "degree", "local distortion above which the point counts "
                                   "as distorted in domains"),
    "local_distortion_upper": ((), "degree", "local distortion that is excluded, two standard "
                               "errors above the measured one"),
    "variant_share": (("variant",), "1", "share of cages and windows in each rhombohedral variant"),
    # energies
    "volume_per_formula": ((), "angstrom3", "volume per formula unit LaH10"),
    "pressure_shift": ((), "GPa", "pressure that the friction adds to the kinetic one; a barostat "
                       "set higher by this undoes it"),
    "energy_per_mode": ((), "K", "energy above the static crystal per mode, (E - E_static)/3N k_B"),
    "kinetic_temperature": (_ELEMENT, "K", "kinetic temperature by element"),
    "kinetic_temperature_mean": ((), "K", "kinetic temperature of all atoms"),
    "kinetic_temperature_deconvolved": (_ELEMENT, "K", "kinetic temperature by element, "
                                        "gamma-deconvolved: without the excess by the friction"),
    "kinetic_temperature_mean_deconvolved": ((), "K", "kinetic temperature of all atoms, "
                                             "gamma-deconvolved: without the excess by the "
                                             "friction"),
    "kinetic_temperature_expected": (_ELEMENT, "K", "kinetic temperature by element if every "
                                     "frequency held the energy of the bath, from the response to "
                                     "the random force; gamma-deconvolved"),
    "zero_point_temperature": ((), "K", "zero-point energy per mode over k_B, from the vibrational "
                               "density of states"),
    "zero_point_temperature_deconvolved": ((), "K", "zero-point energy per mode over k_B, from the "
                                           "response to the random force, gamma-deconvolved: "
                                           "without the broadening by the friction"),
    "cell_temperature": ((), "K", "effective temperature of the cell's degrees of freedom"),
    # motion
    "diffusion": (_ELEMENT, "cm2 s-1", "diffusion coefficient by Einstein's relation, slope/6; the "
                  "dynamics of a quantum thermal bath is approximate"),
    "diffusion_limit": (_ELEMENT, "cm2 s-1", "upper limit of the diffusion coefficient at 95 % "
                        "confidence, from the number of events; NaN where enough of them were seen "
                        "for a value"),
    "msd_slope": (_ELEMENT, "angstrom2 ps-1", "slope of the mean square displacement"),
    "reordered_msd": ((), "angstrom2", "plateau of the mean square displacement of H minimised "
                      "over permutations"),
    "reordered_msd_slope": ((), "angstrom2 ps-1", "slope of the reordered mean square "
                            "displacement of H"),
    "lindemann": (_ELEMENT, "1", "rms displacement from the site over the nearest-neighbour "
                  "distance"),
    **EXCHANGES,
    # the potential's committee
    "model_deviation": ((), "eV angstrom-1", "largest force deviation of an atom within the "
                        "committee, mean over the run"),
    "model_deviation_largest": ((), "eV angstrom-1", "largest force deviation of an atom within "
                                "the committee, of all frames"),
    "extrapolated_share": ((), "1", "share of the frames in which the committee deviates as it "
                           "does beyond its data"),
    # the bath
    "kinetic_energy_ratio": (_ELEMENT, "1", "kinetic energy of an element over the expected one; "
                             "below 1 energy leaks away"),
    "spectral_energy_mismatch": (_ELEMENT, "1", "size of the excess of vibrational energy at some "
                                 "frequencies and of its lack at others, over all of it; without "
                                 "the bias of noise, so noise alone gives either sign"),
    "fdt_deviation": (_ELEMENT, "1", "deviation from the quantum fluctuation-dissipation theorem"),
    "fdt_deviation_signed": (_ELEMENT, "1", "signed deviation from the quantum fluctuation-"
                             "dissipation theorem; positive where energy is missing"),
    "gamma_r_saturated_share": (_ELEMENT, "1", "adaptive bath: share of the motion at frequencies "
                                "where gamma_r is below a tenth of gamma, so that nothing but "
                                "more friction could cool them"),
    "friction_drift": (_ELEMENT, "1", "adaptive bath: what gamma_r still lacked in the last third "
                       "of the adaptation, beyond noise, over gamma; above 0.1 it has not settled"),
    "spectral_blocks": ((), "1", "spectral segments used"),
    "equilibration_time": ((), "ps", "equilibration detected inside the production run"),
})  # fmt: skip

#: summary.nc of a path-integral run has these beside `SUMMARY`.
BEADS: Table = _table({
    "theta_beads_large": ((), "degree", "largest class mean of the distortion angle, of beads"),
    "theta_beads_small": ((), "degree", "smallest class mean of the distortion angle, of beads"),
    "theta_beads_deviation": ((), "degree", "largest deviation of the distortion angle from 90 "
                              "degree, of beads"),
    "theta_beads_null": ((), "degree", "theta_beads_deviation expected of a cubic crystal with the "
                         "same noise"),
    "pressure_mean": ((), "GPa", "mean pressure, centroid-virial estimator"),
    "bead_temperature": ((), "K", "kinetic temperature of the beads over their number; the "
                         "point's temperature where sampling is right"),
})  # fmt: skip


def _rows(*names: str) -> Table:
    """Variables of `SUMMARY` with one value a row of a comparison."""
    return {name: SUMMARY[name]._replace(dims=("row", *SUMMARY[name].dims)) for name in names}


#: comparison.nc: path integrals beside baths, a row a result. θ is of particles (a bath's atoms,
#: a ring's beads) unless it is called one of centroids.
COMPARISON: Table = {
    **_rows("kinetic_temperature", "kinetic_temperature_deconvolved",
            "kinetic_temperature_expected", "spectral_blocks", "volume_per_formula", "lindemann",
            "theta_small", "theta_large", "theta_deviation", "theta_null"),
    **_table({
        "theta_centroid_small": (("row",), "degree", "smallest class mean of the distortion "
                                 "angle, of centroids"),
        "theta_centroid_large": (("row",), "degree", "largest class mean of the distortion angle, "
                                 "of centroids"),
        "theta_centroid_deviation": (("row",), "degree", "largest deviation of the distortion "
                                     "angle from 90 degree, of centroids"),
        "theta_centroid_null": (("row",), "degree", "theta_centroid_deviation expected of a cubic "
                                "crystal with the same noise"),
        "bead_error": (("row", "element"), "K", "change of the harmonic crystal's kinetic "
                       "temperature by the finite number of beads"),
        "g": (("row", "pair", "r"), "1", "partial radial distribution function"),
        "g_difference": (("row", "pair"), "1", "root mean square difference of g(r) from the "
                         "reference over the root mean square of the reference"),
        "g_difference_noise": (("row", "pair"), "1", "g_difference that the statistical errors "
                               "alone make"),
    }),
}  # fmt: skip

#: distortion.nc of a point.
DISTORTION: Table = _table({
    "theta": (("time", "orientation"), "degree", "distortion angle, mean over cages"),
    "theta_mean": (("orientation",), "degree", "class mean of the distortion angle"),
    "theta_diagonals": (("time", "orientation"), "degree", "angle between the normals to the "
                        "diagonals of the quadrilaterals, mean over cages"),
    "theta_centres": (("time", "orientation"), "degree", "angle between the lines from La to the "
                      "quadrilateral centres, mean over cages"),
    "corner_angle": (("time", "corner"), "degree", "corner angle of the quadrilaterals, mean over "
                     "cages"),
    "cell_angle": (("time", "angle"), "degree", "angle of the conventional cubic cell"),
    "theta_independent_samples": ((), "1", "independent samples of theta in time"),
    "local_distortion_series": (("window",), "degree", "distortion of a cage, mean over cages"),
    "variant_share_series": (("window", "variant"), "1", "share of the cages in each variant"),
    "variant_threshold": ((), "degree", "distortion below which a cage belongs to no variant"),
    "local_distortion_density": (("distortion",), "degree-1", "distribution of the distortion over "
                                 "cages and windows"),
    "local_distortion_null_density": (("distortion",), "degree-1", "the same for cubic cages with "
                                      "the same noise"),
})  # fmt: skip

#: Hops and events, a part of `DIFFUSION`. Lists are of the run as it was: they have no errors.
HOPS: Table = _table({
    "ring_count": (("ring",), "1", "exchanges of H seen, by the number of atoms in the ring"),
    "dwell_survival": (("dwell",), "1", "share of the protons that are still on the site to which "
                       "they hopped (Kaplan-Meier)"),
    "site_dwell_time": (("wyckoff",), "ps", "mean time that a proton stays on a site"),
    "event_time": (("event",), "ps", "mean time of the hops of an event"),
    "event_span": (("event",), "ps", "time between the first and the last hop of an event"),
    "event_atoms": (("event",), "1", "hops of an event"),
    "event_closed": (("event",), "1", "1 for a ring of atoms that changed places, 0 for hops that "
                     "do not close"),
    "event_element": (("event",), "1", "position of the element in the coordinate element"),
    "hop_event": (("hop",), "1", "event that the hop belongs to"),
    "hop_atom": (("hop",), "1", "index of the atom, from 0"),
    "hop_from": (("hop",), "1", "index of the site that was left, from 0"),
    "hop_to": (("hop",), "1", "index of the site that was reached, from 0"),
    "hop_time": (("hop",), "ps", "middle between leaving the one site and reaching the other"),
    "hop_vector": (("hop", "xyz"), "angstrom", "vector between the sites, in the mean cell"),
})  # fmt: skip

#: Typical trajectories, a part of `DIFFUSION` (`lah10.analysis.typical`).
TYPICAL: Table = _table({
    "typical_position": (("typical_atom", "typical_frame", "xyz"), "angstrom", "position in the "
                         "frame of the La lattice and in the mean cell, unwrapped"),
    "typical_class": (("typical_atom",), "1", "position of the class in the coordinate "
                      "exchange_class"),
    "typical_role": (("typical_atom",), "1", "0: the typical proton of its class; 1: a proton that "
                     "it changed places with; 2: La next to it"),
    "typical_index": (("typical_atom",), "1", "index of the atom, from 0"),
    "typical_cage": (("exchange_class", "corner", "xyz"), "angstrom", "sites of the cage round the "
                     "first of these La"),
    "class_size": (("exchange_class",), "1", "protons of the class"),
    "mean_cell": (("vector", "xyz"), "angstrom", "mean cell, vectors as rows"),
})  # fmt: skip

#: diffusion.nc of a point.
DIFFUSION: Table = _table({
    "msd": (("element", "time"), "angstrom2", "mean square displacement"),
    "reordered_msd": (("time",), "angstrom2", "mean square displacement of H, least over "
                      "permutations of the atoms"),
    "rms_displacement": (_ELEMENT, "angstrom", "rms displacement from the mean position of the "
                         "occupants of a site"),
    "exchanged_share": (("frame_time",), "1", "share of the H sites whose occupant is not the one "
                        "of the first frame"),
    **HOPS,
    **TYPICAL,
})  # fmt: skip

#: energetics.nc of a point.
ENERGETICS: Table = _table({
    "energy_per_mode_series": (("time",), "K", "energy above the static crystal per mode over k_B"),
    "kinetic_temperature_series": (("time", "element"), "K", "kinetic temperature by element"),
    "model_deviation_series": (("time",), "eV angstrom-1", "largest force deviation of an atom "
                               "within the committee; NaN where it was not evaluated"),
    "volume_series": (("time",), "angstrom3", "volume per formula unit LaH10"),
    "vdos": (("frequency",), "THz-1", "vibrational density of states, normalised to 1 over the "
             "modes"),
    "vdos_element": (("element", "frequency"), "THz-1", "share of an element in the vibrational "
                     "density of states"),
    "vdos_deconvolved": (("frequency",), "THz-1", "vibrational density of states from the "
                         "response to the random force, gamma-deconvolved"),
    "vdos_deconvolved_element": (("element", "frequency"), "THz-1", "share of an element in the "
                                 "deconvolved vibrational density of states"),
    "vdos_modes": ((), "1", "integral of the density of states before normalisation over the "
                   "number of modes; 1 where every mode holds the energy of the bath"),
    "response_modes": (_ELEMENT, "1", "integral of the density of states from the response to the "
                       "random force, over the element's modes; always 1 but for noise"),
    "fdt_difference": (("element", "frequency"), "eV ps-1 THz-1", "Re C_vF - m gamma_r C_vv; "
                       "positive where energy is missing"),
})  # fmt: skip

#: correlations.nc of a point.
CORRELATIONS: Table = _table({
    "g": (("pair", "r"), "1", "partial radial distribution function"),
    "coordination": (("pair", "r"), "1", "mean number of atoms of the second element within the "
                     "outer edge of the bin round one of the first"),
})  # fmt: skip

_CRYSTAL = {
    "volume": (("time",), "angstrom3", "volume of the cell"),
    "cell": (("time", "vector", "xyz"), "angstrom", "cell vectors a, b, c as rows"),
}

#: thermo.nc of a run, at every thermo interval.
THERMO: Table = _table({
    "potential_energy": (("time",), "eV", "potential energy of the cell"),
    "kinetic_energy": (("time", "element"), "eV", "kinetic energy of all atoms of an element"),
    "pressure": (("time", "voigt"), "GPa", "pressure tensor, kinetic part included"),
    **_CRYSTAL,
    "cell_kinetic_energy": (("time",), "eV", "kinetic energy of the cell's six degrees of freedom"),
})  # fmt: skip

#: thermo.nc where the configuration has a committee; NaN at times at which it was not evaluated.
COMMITTEE: Table = _table({
    "model_deviation": (("time",), "eV angstrom-1", "largest force deviation of an atom within the "
                        "committee"),
})  # fmt: skip

#: thermo.nc of a path-integral run.
PIMD_THERMO: Table = _table({
    "potential_energy": (("time",), "eV", "potential energy of the cell, mean over beads"),
    "kinetic_energy": (("time", "element"), "eV", "kinetic energy of all atoms of an element, "
                       "centroid-virial estimator"),
    "pressure": (("time", "voigt"), "GPa", "pressure tensor, kinetic part included, centroid-"
                 "virial estimator"),
    **_CRYSTAL,
    "bead_temperature": (("time",), "K", "kinetic temperature of the beads over their number; its "
                         "mean is the temperature where sampling is right"),
    "conserved_energy": (("time",), "eV", "quantity that an exact integrator would conserve"),
})  # fmt: skip

#: thermo.nc beside its series; the last two each in one kind of run.
COMPOSITION: Table = _table({
    "mass": (_ELEMENT, "g mol-1", "atomic mass"),
    "n_atoms": (_ELEMENT, "1", "number of atoms"),
    "static_energy": ((), "eV", "energy of the time-averaged structure relaxed in the mean cell"),
    "spring_frequency": (("mode",), "THz", "frequencies of a free ring's normal modes"),
})

#: spectra.nc of a run, and the γ_r of an adaptive bath in equilibration.nc and spectra.nc.
SPECTRA: Table = _table({
    "velocity_spectrum": (("block", "element", "frequency"), "angstrom2 ps-2 THz-1", "two-sided "
                          "power spectral density of a velocity component"),
    "force_velocity_spectrum": (("block", "element", "frequency"), "eV ps-1 THz-1", "real part of "
                                "the cross spectrum of velocity and random force"),
    "bath_energy": (("frequency",), "K", "Θ(ω, T)/k_B of the bath"),
    "noise_energy": (("frequency",), "K", "energy over k_B in the random force, cut-off included"),
    "random_friction": (("element", "frequency"), "ps-1", "friction γ_r that scales the random "
                        "force"),
    "sampled_atoms": (_ELEMENT, "1", "atoms sampled for the spectra"),
    "random_friction_history": (("adaptation_segment", "element", "frequency"), "ps-1", "friction "
                                "γ_r while it adapted, segment by segment"),
    "friction_drift": (_ELEMENT, "1", "what γ_r still lacked in the last third of the adaptation, "
                       "beyond noise, over γ"),
})  # fmt: skip

#: Attributes of a point that become variables of the campaign's dataset.
PROVENANCE = {
    "wall_seconds": Provenance(float, "s", "wall time of the production run"),
    "ps_per_hour": Provenance(float, "ps h-1", "speed of the production run"),
    "fingerprint": Provenance(str, "1", "fingerprint of the point's parameters and potential"),
    "status_message": Provenance(str, "1", "what stopped the run, or why its summary is not "
                                 "read"),
    "space_group": Provenance(str, "1", "space group of the mean structure, its atoms relaxed in "
                              "the mean cell, by spglib with a tolerance of 0.1 angstrom"),
    "phase_reason": Provenance(str, "1", "why the phase is what it is"),
    "quantum_bath_reason": Provenance(str, "1", "why quantum_bath_ok is not ok"),
}

#: Variables whose uncertainty is the spread of single values, not the error of their mean.
SPREADS = frozenset({"theta_null", "theta_beads_null", "theta_centroid_null"})

THETA_DEFINITION = (
    "theta: angle between the outward normals of adjacent quadrilaterals (the six square faces "
    "of 32f H atoms, least-squares planes) of the cage round each La, averaged over time and over "
    "cages by orientation class (12 adjacent pairs, 6 classes, inversion pairs together). "
    "theta_large and theta_small are the largest and smallest class mean, "
    "theta_deviation = max|theta - 90 degree|, theta_null its expectation for a cubic crystal "
    "with the same noise (block bootstrap), "
    "theta_null_spread the spread of that maximum. The source paper (DP + QTB molecular dynamics "
    "of LaH10, section III B) says only 'the angle between the quadrilaterals in the cage "
    "structure'; the averaging, the classes and the null are definitions of this project."
)

#: Former names of variables without those of their uncertainties: today's name, former name.
_RENAMED = {
    "gamma_r_saturated_share": "friction_exhausted",
    "spectral_energy_mismatch": "occupation_deviation",
    "kinetic_energy_ratio": "mode_occupation",
}


def uncertainty(name: str) -> str:
    """Name of the variable that holds a variable's uncertainty."""
    return f"{name}_spread" if name in SPREADS else f"{name}_stderr"


def measured(name: str) -> str:
    """Name of the variable that `name` is, or is the uncertainty of."""
    for suffix in ("_stderr", "_spread"):
        stem = name.removesuffix(suffix)
        if stem != name and uncertainty(stem) == name:
            return stem
    return name


def uncertainty_title(name: str, long_name: str) -> str:
    """Long name of a variable's uncertainty, where `long_name` is the variable's own."""
    if name in SPREADS:
        return f"spread over bootstrap samples, not the error of their mean: {long_name}"
    return f"standard error: {long_name}"


#: Former names that are readable for one release: former name -> today's name.
FORMER = {
    **{former: name for name, former in _RENAMED.items()},
    **{f"{former}_stderr": f"{name}_stderr" for name, former in _RENAMED.items()},
    **{f"{name}_stderr": f"{name}_spread" for name in sorted(SPREADS)},
}


def with_current_names(dataset: "xr.Dataset") -> "xr.Dataset":
    """A dataset of either generation with the names of this table; aliases are left out."""
    aliases = [former for former, name in FORMER.items() if {former, name} <= set(dataset)]
    dataset = dataset.drop_vars(aliases)
    return dataset.rename({former: FORMER[former] for former in FORMER if former in dataset})


def with_former_names(dataset: "xr.Dataset") -> "xr.Dataset":
    """A dataset that holds every renamed variable once more, under its former name."""
    aliases = {}
    for former, name in FORMER.items():
        if name in dataset:
            described = dataset[name].attrs | {
                "long_name": f"former name of {name}, dropped in version 0.2",
                "alias_of": name,
            }
            aliases[former] = dataset[name].assign_attrs(described)
    return dataset.assign(aliases)


def significance(dataset: "xr.Dataset") -> "xr.DataArray":
    """Distance of the θ deviation from the cubic null in units of the null's spread.

    The null is the largest of six noisy class means already, so its spread alone is the yardstick;
    a point counts as distorted above 3. NaN where either is NaN.
    """
    return (dataset.theta_deviation - dataset.theta_null) / dataset.theta_null_spread
