# SPDX-License-Identifier: Apache-2.0
"""`depthpro doctor`: what is wrong with this machine and this ROS graph, and what to do about it.

Each check is one function, from what was seen to one `Finding`. Looking and judging are apart, so that every
judgement can be tested: this package judges, and looks at the machine; `depthpro_ros.node.graph_checks` looks at the
graph.
"""
