"""count_nodes.py BEFORE AFTER: nodes of AFTER in all graphs and called functions, and the operators outside ai.onnx that BEFORE lacked."""
import sys

import onnx


def calls(model):
    functions = {(f.domain, f.name): f for f in model.functions}
    waiting, seen = [model.graph.node], set()
    while waiting:
        for node in waiting.pop():
            yield node
            key = (node.domain, node.op_type)
            if key in functions and key not in seen:
                seen.add(key)
                waiting.append(functions[key].node)
            for attribute in node.attribute:
                waiting += [g.node for g in [attribute.g, *attribute.graphs] if g.node]


def foreign(model):
    return {f"{n.domain}::{n.op_type}" for n in calls(model) if n.domain not in ("", "ai.onnx")}


before, after = (onnx.load(path, load_external_data=False) for path in sys.argv[1:3])
added = foreign(after) - foreign(before)
print(sum(1 for _ in calls(after)), ",".join(sorted(added)) or "-")
