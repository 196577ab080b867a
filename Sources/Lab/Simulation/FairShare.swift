/// Shares what is scarce: a flow gets no less than another of the same weight unless something that it alone needs holds it back
/// (max-min fairness by progressive filling: Bertsekas and Gallager, "Data networks", 1992, section 6.5.2). It is what the dispatcher's
/// turns result in with many messages: each mailing gets a batch in each turn.
struct FairShare {
    /// A stream of messages that share what they need.
    struct Flow {
        /// Its part, compared with the others'.
        var weight: Double
        /// Messages a second at most.
        var demand: Double
        /// What each message takes of which resources (by place).
        var needs: [(resource: Int, amount: Double)]
    }

    /// What limits a flow.
    enum Bottleneck: Equatable {
        /// Nothing: the flow gets all that it asks for.
        case demand
        /// By place.
        case resource(Int)
    }

    private(set) var rates: [Double]
    private(set) var bottlenecks: [Bottleneck]

    /// - Parameter capacities: of the resources, a second.
    init(_ flows: [Flow], capacities: [Double]) {
        rates = flows.map { _ in 0 }
        bottlenecks = flows.map { _ in .demand }
        var left = capacities
        var active = flows.indices.filter { flows[$0].demand > 0 }
        while !active.isEmpty {
            var use = capacities.map { _ in 0.0 }
            for flow in active {
                for need in flows[flow].needs { use[need.resource] += flows[flow].weight * need.amount }
            }
            // How far all rates can rise until the first resource is full.
            var rise = Double.infinity
            for resource in use.indices where use[resource] > 0 { rise = min(rise, max(0, left[resource]) / use[resource]) }
            for flow in active { rise = min(rise, (flows[flow].demand - rates[flow]) / flows[flow].weight) }
            guard rise.isFinite else { break }
            for flow in active { rates[flow] += rise * flows[flow].weight }
            for resource in use.indices { left[resource] -= rise * use[resource] }
            let full = use.indices.filter { use[$0] > 0 && left[$0] <= 1e-9 * max(1, capacities[$0]) }
            let before = active.count
            active.removeAll { flow in
                // The first of the full resources, in their order.
                if let resource = full.first(where: { resource in flows[flow].needs.contains { $0.resource == resource } }) {
                    bottlenecks[flow] = .resource(resource)
                    return true
                }
                return rates[flow] >= flows[flow].demand * (1 - 1e-12)
            }
            // Rounding alone must not keep it going.
            if active.count == before { break }
        }
    }
}
