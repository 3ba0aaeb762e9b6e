"""Rock salt of springs, and its phonons."""

import pytest
import xarray as xr
from ase import Atoms
from ase.build import bulk

from lah10.phonons import phonons
from springs import A, Springs


@pytest.fixture(scope="module")
def rocksalt() -> Atoms:
    return bulk("LaH", "rocksalt", a=A)


@pytest.fixture(scope="module")
def dataset(rocksalt) -> xr.Dataset:
    return phonons.phonons(rocksalt, Springs(), supercell=(4, 4, 4), mesh=(4, 4, 4)) \
        .assign_coords(pressure=150.0)
