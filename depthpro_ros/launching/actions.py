# SPDX-License-Identifier: Apache-2.0
"""launch's actions from plain data; launch is imported inside the functions, so that the module loads without it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthpro_ros.launching.arguments import Argument, depth_arguments
from depthpro_ros.launching.consumers import ConsumerNode, packages_of, require_packages
from depthpro_ros.launching.values import dds_environment, is_simulated, joined

if TYPE_CHECKING:
    # not from launch itself, which tools take for the folder of that name beside this package
    from launch.launch_context import LaunchContext
    from launch.launch_description import LaunchDescription
    from launch.launch_description_entity import LaunchDescriptionEntity


def described(
    arguments: Sequence[Argument], actions: Callable[[Mapping[str, str]], Sequence[LaunchDescriptionEntity]]
) -> LaunchDescription:
    """Declare arguments; the actions follow from their values."""
    from launch.actions import DeclareLaunchArgument, OpaqueFunction
    from launch.launch_description import LaunchDescription

    def act(context: LaunchContext) -> list[LaunchDescriptionEntity]:
        return list(actions({a.name: context.launch_configurations[a.name] for a in arguments}))

    declared = [
        DeclareLaunchArgument(
            a.name,
            default_value=a.default,
            description=a.help,
            **({"choices": list(a.choices)} if a.choices else {}),
        )
        for a in arguments
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=act)])


def stack(
    share: Path, arguments: Sequence[Argument], nodes: Callable[[Mapping[str, str]], Sequence[ConsumerNode]]
) -> LaunchDescription:
    """The depth node, and consumers in its namespace.

    Args:
        share: the package's share folder, or the repository.
        arguments: those of the depth node among them.
        nodes: the consumers, from the arguments' values.
    """

    def actions(value: Mapping[str, str]) -> list[LaunchDescriptionEntity]:
        consumers = nodes(value)
        require_packages(packages_of(consumers))
        return [
            *room_for_images(value),
            include_depth(share, value),
            *(consumer(node, value) for node in consumers),
        ]

    return described(arguments, actions)


def include_depth(share: Path, value: Mapping[str, str], **changes: str) -> LaunchDescriptionEntity:
    """depth.launch.py with those of these values that are its own, in a scope of its own.

    Args:
        share: the package's share folder, or the repository.
        value: of arguments; others than those of depth.launch.py are left out.
        changes: values that are to be others.
    """
    return include(
        share / "launch" / "depth.launch.py",
        {a.name: changes.get(a.name, value[a.name]) for a in depth_arguments(share)},
    )


def include(path: Path, value: Mapping[str, str]) -> LaunchDescriptionEntity:
    """A launch file with values of its arguments, in a scope of its own."""
    from launch.actions import GroupAction, IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    return GroupAction(
        [IncludeLaunchDescription(PythonLaunchDescriptionSource(str(path)), launch_arguments=list(value.items()))]
    )


def room_for_images(value: Mapping[str, str]) -> list[LaunchDescriptionEntity]:
    """What gives Fast DDS shared memory for large messages in everything that is started after it."""
    from launch.actions import SetEnvironmentVariable

    return [SetEnvironmentVariable(n, v) for n, v in dds_environment(value["dds_profile"], os.environ).items()]


def played_bag(bag: str, options: Sequence[str] = ()) -> LaunchDescriptionEntity:
    """A recording, with its clock."""
    from launch.actions import ExecuteProcess

    return ExecuteProcess(cmd=["ros2", "bag", "play", bag, "--clock", *options], output="screen")


def once_active(namespace: str, action: LaunchDescriptionEntity) -> list[LaunchDescriptionEntity]:
    """An action that is done once the depth node of a namespace is active."""
    from launch.actions import ExecuteProcess, RegisterEventHandler
    from launch.event_handlers import OnProcessExit

    waiting = ExecuteProcess(
        cmd=[sys.executable, "-m", "depthpro_ros.node.wait_until_active", namespace or "/"], output="screen"
    )

    def ended(event: Any, _: LaunchContext) -> list[LaunchDescriptionEntity]:
        # otherwise it was told to end, as everything else is
        return [action] if event.returncode == 0 else []

    return [RegisterEventHandler(OnProcessExit(target_action=waiting, on_exit=ended)), waiting]


def consumer(node: ConsumerNode, value: Mapping[str, str]) -> LaunchDescriptionEntity:
    """A consumer's node, in the namespace and with the clock of the depth node."""
    from launch_ros.actions import Node
    from launch_ros.parameter_descriptions import ParameterFile

    files_and_values: list[Any] = [
        ParameterFile(entry, allow_substs=True) if isinstance(entry, str) else dict(entry) for entry in node.parameters
    ]
    return Node(
        package=node.package,
        executable=node.executable,
        name=node.name,
        namespace=joined(value["namespace"], node.camera),
        parameters=[*files_and_values, {"use_sim_time": is_simulated(value)}],
        remappings=list(node.remappings),
        output="screen",
        emulate_tty=True,
    )
