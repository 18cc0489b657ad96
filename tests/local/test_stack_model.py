"""LocalStack against a plain list, in any order of operations and in several contexts."""

from __future__ import annotations

from contextvars import Context

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flaskctx.local import LocalStack


class StackMachine(RuleBasedStateMachine):
    """The model of a context is a list of [value, closed]; copies share these pairs, as chains do nodes."""

    @initialize()
    def start(self):
        self.stack = LocalStack()
        self.top = self.stack()
        self.worlds = [(Context(), [])]

    def world(self, number):
        return self.worlds[number % len(self.worlds)]

    @rule(number=st.integers(0, 5), value=st.integers(1))
    def push(self, number, value):
        context, model = self.world(number)
        while model and model[-1][1]:
            model.pop()
        model.append([value, False])
        assert context.run(self.stack.push, value) == [v for v, closed in model if not closed]

    @rule(number=st.integers(0, 5), value=st.integers(1))
    def push_node(self, number, value):
        context, model = self.world(number)
        while model and model[-1][1]:
            model.pop()
        model.append([value, False])
        node = context.run(self.stack.push_node, value)
        assert (node.value, node.closed) == (value, False)

    @rule(number=st.integers(0, 5))
    def pop(self, number):
        context, model = self.world(number)
        while model and model[-1][1]:
            model.pop()
        assert context.run(self.stack.pop) == (model.pop()[0] if model else None)

    @rule(number=st.integers(0, 5), depth=st.integers(0, 5))
    def close(self, number, depth):
        context, model = self.world(number)
        live = [pair for pair in reversed(model) if not pair[1]]
        nodes = context.run(lambda: list(self.stack.nodes()))
        assert len(live) == len(nodes)
        if depth < len(live):
            live[depth][1] = True
            nodes[depth].closed = True

    @rule(number=st.integers(0, 5))
    def copy(self, number):
        context, model = self.world(number)
        if len(self.worlds) < 5:
            self.worlds.append((context.copy(), list(model)))

    @rule(number=st.integers(0, 5))
    def release(self, number):
        context, model = self.world(number)
        context.run(self.stack.__release_local__)
        model.clear()

    @rule(number=st.integers(0, 5))
    def leave_and_enter_again(self, number):
        context, _ = self.world(number)
        node = context.run(lambda: self.stack.top_node)
        context.run(self.stack.set_node, None)
        assert context.run(lambda: self.stack.top) is None
        context.run(self.stack.set_node, node)

    @invariant()
    def every_context_shows_its_model(self):
        for context, model in getattr(self, "worlds", []):
            live = [value for value, closed in model if not closed]
            assert context.run(lambda: self.stack.top) == (live[-1] if live else None)
            assert context.run(lambda: [node.value for node in self.stack.nodes()]) == live[::-1]
            assert context.run(lambda: getattr(self.stack._local, "stack", [])) == live
            assert context.run(bool, self.top) == bool(live)


TestStackMachine = StackMachine.TestCase
TestStackMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
