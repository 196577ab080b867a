import Model
import Settings
import Yams

extension ScenarioReader {
    // MARK: Script

    mutating func script(_ node: Node?, _ scenario: Scenario) -> [ScriptLine] {
        items(node, "script").enumerated().compactMap { index, item in
            line(item, "script[\(index)]", scenario)
        }
    }

    private mutating func line(_ node: Node, _ section: String, _ scenario: Scenario) -> ScriptLine? {
        let before = file.problems.count
        let fields = fields(node, section, ["at", "do", "role", "count", "each"])
        for key in ["at", "do", "role"] where fields[key] == nil && node.mapping != nil {
            refuse(node, "\(section).\(key)", "is missing; a line of the script needs at, do and role")
        }
        let at = time(fields, "at", section)
        let action = choice(fields, "do", section, ScriptLine.Action.self)
        let target = target(fields, section, scenario)
        let count = number(fields, "count", section, 1...1_000)
        let each = time(fields, "each", section)
        if let place = fields["each"], action != .restart {
            refuse(place, "\(section).each", "is of restart: the time between two of them")
        }
        if let place = fields["count"] {
            if case .kind = target {
            } else {
                refuse(place, "\(section).count", "is of several: role: worker, planner or collector")
            }
        }
        if case .member = target, action == .add, let place = fields["role"] {
            refuse(place, "\(section).role", "add starts further ones: role: worker, planner or collector, with count")
        }
        guard file.problems.count == before, let at, let action, let target else { return nil }
        return ScriptLine(at: at, action: action, target: target, count: count, each: each ?? 0)
    }

    private mutating func target(
        _ fields: [String: Node], _ section: String, _ scenario: Scenario
    ) -> ScriptLine.Target? {
        guard let node = fields["role"], let text = text(fields, "role", section) else { return nil }
        if text == "redis" {
            guard scenario.redis == .own else {
                refuse(node, "\(section).role", "redis is not ours: with redis: private it can be ended")
                return nil
            }
            return .redis
        }
        if text.hasPrefix("sink:") {
            let name = String(text.dropFirst(5))
            if scenario.sinks.contains(where: { $0.name == name }) { return .sink(name) }
            let known = scenario.sinks.map { "sink:\($0.name)" }.joined(separator: ", ")
            refuse(node, "\(section).role", "'\(text.prefix(80))' is none of the sinks: \(known)")
            return nil
        }
        if let kind = ProcessKind.roles.first(where: { $0.rawValue == text }) { return .kind(kind) }
        let parts = text.split(separator: "-")
        if parts.count == 2, ProcessKind.roles.contains(where: { $0.rawValue == parts[0] }), Int(parts[1]) ?? 0 > 0 {
            return .member(text)
        }
        refuse(
            node, "\(section).role",
            "'\(text.prefix(80))' is not allowed; allowed: worker, planner, collector, one of them as worker-2, redis, sink:NAME")
        return nil
    }

    // MARK: Expectations

    mutating func expectations(_ node: Node?, _ scenario: Scenario) -> [ExpectationRule] {
        guard let node else { return [] }
        var expectations: [ExpectationRule] = []
        let all = fields(node, "expect", ExpectationRule.Measure.allCases.map(\.rawValue) + ["mailings"])
        for measure in ExpectationRule.Measure.allCases {
            guard let value = all[measure.rawValue] else { continue }
            let key = "expect.\(measure.rawValue)"
            if measure.isByKind {
                let kinds = ProcessKind.allCases.filter { $0 != .sink }
                let parts = fields(value, key, kinds.map(\.rawValue))
                for kind in kinds {
                    guard let part = parts[kind.rawValue] else { continue }
                    if let bound = bound(part, "\(key).\(kind.rawValue)", measure) {
                        expectations.append(ExpectationRule(subject: .kind(kind), measure: measure, bound: bound))
                    }
                }
            } else if let bound = bound(value, key, measure) {
                if measure == .efficiency, scenario.steps == nil {
                    refuse(value, key, "is of scenarios with steps")
                }
                expectations.append(ExpectationRule(subject: .run, measure: measure, bound: bound))
            }
        }
        if let mailings = all["mailings"] { expectations += ofMailings(mailings, scenario) }
        return expectations
    }

    private mutating func ofMailings(_ node: Node, _ scenario: Scenario) -> [ExpectationRule] {
        guard !scenario.mailings.isEmpty else { return [] }
        var expectations: [ExpectationRule] = []
        let parts = fields(node, "expect.mailings", scenario.mailings.map(\.name))
        for plan in scenario.mailings {
            guard let part = parts[plan.name] else { continue }
            let section = "expect.mailings.\(plan.name)"
            let values = fields(part, section, ExpectationRule.Measure.ofMailings.map(\.rawValue))
            for measure in ExpectationRule.Measure.ofMailings {
                guard let value = values[measure.rawValue],
                    let bound = bound(value, "\(section).\(measure.rawValue)", measure)
                else { continue }
                expectations.append(ExpectationRule(subject: .mailing(plan.name), measure: measure, bound: bound))
            }
        }
        return expectations
    }

    private mutating func bound(_ node: Node, _ key: String, _ measure: ExpectationRule.Measure) -> Bound? {
        if let text = node.scalar?.string, let bound = Bound(text, measure.unit) { return bound }
        let text = node.scalar.map { "'\($0.string.prefix(80))'" } ?? "this"
        refuse(node, key, "\(text) is not allowed; allowed: \(measure.unit.allowed)")
        return nil
    }
}
