"""Phase diagrams of LaH10 with classical and quantum nuclei: see README.md and config/README.md."""

import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

# This checkout's package, also where another one's is on PYTHONPATH or was loaded with a profile.
SCRIPTS = Path(workflow.basedir, "workflow", "scripts").resolve()
sys.path.insert(0, str(SCRIPTS))
loaded = Path(getattr(sys.modules.get("lah10"), "__file__", SCRIPTS)).resolve()
if not loaded.is_relative_to(SCRIPTS):
    for name in [name for name in sys.modules if name.partition(".")[0] == "lah10"]:
        del sys.modules[name]

import lah10.campaign.checks
import lah10.config.reading
from lah10.errors import UserError

# No `configfile:` directive: it would merge the demo's values into every other campaign's.
GIVEN = (
    workflow.overwrite_configfiles or ["config/demo.yaml"],
    workflow.config_settings.config,
)
try:
    CONFIG = lah10.config.reading.load(*GIVEN)
    if workflow.is_main_process:  # it takes a second, which jobs need not pay again
        source = lah10.config.reading.origin(*GIVEN)
        for warning in lah10.campaign.checks.check(CONFIG, source):
            logger.warning(f"Warning: {source}: {warning}")
except UserError as error:
    sys.exit(str(error))

config.clear()
config.update(lah10.config.reading.to_dict(CONFIG))


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/structures.smk"
include: "workflow/rules/dynamics.smk"
include: "workflow/rules/phonons.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/pimd.smk"
include: "workflow/rules/boundary.smk"
include: "workflow/rules/campaign.smk"
include: "workflow/rules/potential/settings.smk"
include: "workflow/rules/potential/data.smk"
include: "workflow/rules/potential/training.smk"
include: "workflow/rules/potential/validation.smk"
include: "workflow/rules/potential/ship.smk"
include: "workflow/rules/learning/learning.smk"


rule all:
    default_target: True
    input:
        f"{RESULTS}/phase_diagram.nc",
        f"{RESULTS}/phase_diagram.md",
        FIGURES,
