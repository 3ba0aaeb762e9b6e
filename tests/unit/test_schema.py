"""The one table of variables: units, names of uncertainties, and names that changed."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from lah10 import schema
from lah10.io.child import PACKAGE_ROOT

TABLES = {
    name: table
    for name, table in vars(schema).items()
    if isinstance(table, dict) and all(isinstance(x, schema.Variable) for x in table.values())
}


def test_a_dry_run_may_load_it():
    code = "import sys, lah10.schema; sys.exit('numpy' in sys.modules or 'xarray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(PACKAGE_ROOT)})
    assert done.returncode == 0


def test_every_variable_has_dimensions_unit_and_long_name():
    assert {"SUMMARY", "BEADS", "COMPARISON", "DISTORTION", "THERMO", "SPECTRA"} <= TABLES.keys()
    for table in TABLES.values():
        for name, variable in table.items():
            assert isinstance(variable.dims, tuple), name
            assert variable.units and variable.long_name, name


def test_flags_have_meanings():
    both = schema.FLAGS | schema.START_FLAGS
    assert both.keys() == schema.MEANINGS.keys()
    for flags in both.values():
        assert len(set(flags.values())) == len(flags)


@pytest.mark.parametrize(
    ("name", "uncertainty"),
    [("theta_deviation", "theta_deviation_stderr"), ("theta_null", "theta_null_spread")],
)
def test_a_spread_is_not_called_a_standard_error(name, uncertainty):
    assert schema.uncertainty(name) == uncertainty
    assert schema.measured(uncertainty) == schema.measured(name) == name
    title = schema.uncertainty_title(name, "x")
    assert title.startswith("spread" if uncertainty.endswith("spread") else "standard error")


def test_names_that_only_look_like_uncertainties_stay():
    assert schema.measured("theta_null_stderr") == "theta_null_stderr"
    assert schema.measured("bond_spread") == "bond_spread"


def test_comparison_has_the_variables_of_summaries():
    for name in set(schema.COMPARISON) & set(schema.SUMMARY):
        ours, theirs = schema.COMPARISON[name], schema.SUMMARY[name]
        assert ours.dims == ("row", *theirs.dims)
        assert ours[1:] == theirs[1:]


def test_former_names_point_at_todays():
    known = {*schema.SUMMARY, *schema.BEADS, *schema.COMPARISON}
    known |= {schema.uncertainty(name) for name in known}
    assert set(schema.FORMER.values()) <= known
    assert not schema.FORMER.keys() & known


def test_either_generation_of_names_reads_the_same():
    new = xr.Dataset(
        {
            "kinetic_energy_ratio": ("element", [1.2, 0.9], {"units": "1", "long_name": "ratio"}),
            "theta_null_spread": ((), 0.05, {"units": "degree", "long_name": "spread"}),
            "volume_per_formula": ((), 33.0),
        }
    )
    both = schema.with_former_names(new)
    assert {"mode_occupation", "theta_null_stderr"} <= set(both)
    assert both.mode_occupation.alias_of == "kinetic_energy_ratio"
    old = new.rename(kinetic_energy_ratio="mode_occupation", theta_null_spread="theta_null_stderr")
    for dataset in (new, both, old):
        xr.testing.assert_identical(schema.with_current_names(dataset), new)


def test_significance_counts_spreads_of_the_null():
    point = xr.Dataset({"theta_deviation": 0.55, "theta_null": 0.3, "theta_null_spread": 0.05})
    assert schema.significance(point).item() == pytest.approx(5.0)
    assert np.isnan(schema.significance(point.assign(theta_null_spread=np.nan)))
