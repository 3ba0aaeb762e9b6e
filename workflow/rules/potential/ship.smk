"""Trained models at their place in the project, where campaigns read them."""

#: Where each model is shipped: the first that campaigns read, then the others of the committee.
SHIPPED = {
    model: f"resources/potentials/lah10{f'-{i}' if i > 1 else ''}"
    for i, model in enumerate(MODELS, start=1)
}


localrules:
    potential,
    ship_potential,


rule potential:
    input:
        expand(f"{POTENTIAL}/models/{{model}}/PROVENANCE.md", model=MODELS),
        expand(f"{POTENTIAL}/models/{{name}}/validation.json", name=TRAINING.compare),


rule ship_potential:
    input:
        comparison=expand(
            f"{POTENTIAL}/models/{{name}}/validation.json",
            name=list(TRAINING.compare)[:1],
        ),
        files=expand(
            f"{POTENTIAL}/models/{{model}}/{{name}}",
            model=MODELS,
            name=[
                "lah10.pb",
                "frozen.pb",
                "training.json",
                "lcurve.out",
                "validation.json",
                "parity.png",
                "phases.json",
                "statics.json",
                "statics.png",
                "phonons.json",
                "phonons.png",
                "conservation.json",
                *(["differences.json"] if TRAINING.differences.labels else []),
            ],
        ),
    log:
        f"{POTENTIAL_LOGS}/ship.log",
    conda:
        "../../../envs/training.yaml"
    params:
        folders=SHIPPED,
        split=TRAINING.split,
    message:
        "Put the models into {params.folders}"
    script:
        "../../scripts/potential/ship/ship_potential.py"
