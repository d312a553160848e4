# SPDX-License-Identifier: Apache-2.0
"""Which weights would be used, and under which licence."""

from __future__ import annotations

from depthpro_ros.doctor.finding import Finding, ok, problem, warning

APPLE = "Apple's own terms, disputed between sample-code licence and research only: see depthpro weights"


def check_weights(model: str) -> tuple[Finding, str]:
    """Where the weights of a model are, by the same rules as the node's.

    Args:
        model: as the node's parameter of that name.

    Returns:
        The finding, and the name of the network for its need of memory: depth_pro if it is not known.
    """
    from depthpro_ros.errors import WeightsError
    from depthpro_ros.models.registry import MODELS, WEIGHTS_VARIABLE, find_model, weights_home
    from depthpro_ros.models.verify import file_size

    looked = f"looked for in ${WEIGHTS_VARIABLE}, then {weights_home()}"
    try:
        name, path, notice = find_model(model)
    except WeightsError as error:
        return problem("weights", f"{model}: {error}", f"{looked}. See depthpro weights"), "depth_pro"
    found = f"{model} would use {path} ({file_size(path) / 1e6:.0f} MB)"
    if name == "depth_pro":
        return ok("weights", f"{found}. Licence: {APPLE}. Check the file with: depthpro weights --verify"), name
    if notice:
        return warning(
            "weights",
            f"{found}, which is bundled (Apache-2.0); {looked}",
            f"{notice[0].upper()}{notice[1:]}",
        ), name
    known = name if name in MODELS else "depth_pro"
    return ok("weights", f"{found}. Its licence is what its maker says; Apple's: {APPLE}"), known
