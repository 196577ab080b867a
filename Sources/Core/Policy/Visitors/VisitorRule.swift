package import Model

/// One row of the rules about visitors: which single visits it fits, and whose they are.
package struct VisitorRule: Sendable, Equatable {
    /// What a visit must be; all of it must fit.
    package struct Condition: Sendable, Equatable {
        /// One of them fits the user agent; empty for every agent.
        package var agents: [AgentPattern]
        /// None of them fits it.
        package var butNot: [AgentPattern] = []
        /// The visitor's address is in one of these named networks; empty for every address.
        package var networks: Set<String>
        /// Empty for every method.
        package var methods: Set<TrackedMethod>
        /// Empty for every action.
        package var actions: Set<TrackedAction>

        package init(
            agents: [AgentPattern] = [], networks: Set<String> = [], methods: Set<TrackedMethod> = [], actions: Set<TrackedAction> = []
        ) {
            (self.agents, self.networks, self.methods, self.actions) = (agents, networks, methods, actions)
        }
    }

    package let condition: Condition
    package let visitor: VisitorClass
    /// What visits so, for whoever reads the rules.
    package let name: String
    /// Where that is said in public: a page, or what was measured.
    package let source: String
    /// `file:line` of an operator's rule; nil for built-in ones.
    package let origin: String?

    package init(_ condition: Condition, _ visitor: VisitorClass, name: String, source: String, origin: String? = nil) {
        (self.condition, self.visitor, self.name, self.source, self.origin) = (condition, visitor, name, source, origin)
    }

    func fits(_ event: TrackedEvent, _ agent: AgentText) -> Bool {
        (condition.methods.isEmpty || condition.methods.contains(event.method))
            && (condition.actions.isEmpty || condition.actions.contains(event.action))
            && (condition.networks.isEmpty || condition.networks.contains(event.network))
            && (condition.agents.isEmpty || condition.agents.contains { $0.matches(agent) })
            && !condition.butNot.contains { $0.matches(agent) }
    }
}
