import Foundation
import Model
import Policy
import Text
import Yams

/// One rule, and the ranges of one network.
extension VisitorRuleFile {
    private enum RuleKey: String, CaseIterable {
        case agent, network, method, action
        case butNot = "but_not"
        case visitor = "class"
        case because
    }

    private static let classes = VisitorClass.allCases.map(\.name).joined(separator: ", ")
    private static let methods: [(String, TrackedMethod)] = [("get", .get), ("head", .head), ("post", .post)]
    private static let actions: [(String, TrackedAction)] = [
        ("open", .open), ("click", .click), ("unsubscribe", .unsubscribe), ("resubscribe", .resubscribe), ("view", .view),
        ("preferences", .preferences),
    ]

    /// Nil if there is something wrong with it, which is refused.
    mutating func rule(_ node: Node) -> VisitorRule? {
        let problems = file.problems.count
        guard let mapping = node.mapping, !mapping.isEmpty else {
            file.refuse(file.place(node), "rules", "is not a rule; it needs a class, and an agent, a network or a method")
            return nil
        }
        var condition = VisitorRule.Condition()
        var visitor: VisitorClass?
        var because: String?
        for (keyNode, value) in mapping {
            guard let key = key(keyNode, RuleKey.self), !value.isNothing else { continue }
            switch key {
            case .agent: condition.agents = values(value, "agent", allowed: AgentPattern.allowed) { AgentPattern($0) }
            case .butNot: condition.butNot = values(value, "but_not", allowed: AgentPattern.allowed) { AgentPattern($0) }
            case .network:
                let allowed = "a network's name, built in or of this file"
                condition.networks = Set(values(value, "network", allowed: allowed) { Self.line($0, longest: TrackedEvent.networkBytes) })
            case .method: condition.methods = Set(values(value, "method", among: Self.methods))
            case .action: condition.actions = Set(values(value, "action", among: Self.actions))
            case .visitor:
                visitor = text(value, "class", allowed: Self.classes) { text in VisitorClass.allCases.first { $0.name == text } }
            case .because: because = text(value, "because", allowed: "1 to 200 bytes on one line") { Self.line($0, longest: 200) }
            }
        }
        guard file.problems.count == problems else { return nil }
        guard let visitor else {
            file.refuse(file.place(node), "class", "is missing; allowed: \(Self.classes)")
            return nil
        }
        guard !condition.agents.isEmpty || !condition.networks.isEmpty || !condition.methods.isEmpty else {
            file.refuse(file.place(node), "agent", "is missing; a rule needs an agent, a network or a method, or it would fit everybody")
            return nil
        }
        return VisitorRule(
            condition, visitor, name: because ?? "the operator's rule", source: file.place(node), origin: file.place(node))
    }

    /// Ranges as a list, or as the file that a provider publishes: `{file: egress-ip-ranges.csv}`.
    mutating func ranges(_ node: Node, _ key: String) -> [IPNetwork] {
        if let mapping = node.mapping, mapping.count == 1, let (name, path) = mapping.first, name.scalar?.string == "file" {
            guard let path = text(path, key, allowed: "the path of a file", { Self.line($0, longest: 4096) }) else { return [] }
            return published(path, key, at: file.place(node))
        }
        return values(node, key, allowed: "a network such as 192.0.2.0/24 or 2001:db8::/32, or {file: PATH}") { IPNetwork($0) }
    }

    /// The first column of a file of comma-separated values, a network a line; empty lines and those that begin with `#` are skipped.
    private mutating func published(_ path: String, _ key: String, at place: String) -> [IPNetwork] {
        let most = 64 << 20
        guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: most + 1) else {
            file.refuse(place, key, "\(path) cannot be read; is it there?")
            return []
        }
        guard data.count <= most else {
            file.refuse(place, key, "\(path) is larger than \(most >> 20) MB")
            return []
        }
        var networks: [IPNetwork] = []
        for (index, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let field = line.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\r") }
            guard let first = field.first, first != UInt8(ascii: "#") else { continue }
            let text = String(decoding: field, as: UTF8.self)
            guard let network = IPNetwork(text) else {
                file.refuse("\(path):\(index + 1)", key, "'\(text.prefix(80))' is no network such as 192.0.2.0/24 or 2001:db8::/32")
                return []
            }
            networks.append(network)
        }
        if networks.isEmpty { file.refuse(place, key, "\(path) has no networks") }
        return networks
    }

    private mutating func values<Value>(_ node: Node, _ key: String, allowed: String, _ read: (String) -> Value?) -> [Value] {
        let items = node.sequence.map(Array.init) ?? [node]
        if items.isEmpty { file.refuse(file.place(node), key, "must be one value or a list of values; allowed: \(allowed)") }
        return items.compactMap { text($0, key, allowed: allowed, read) }
    }

    private mutating func values<Value>(_ node: Node, _ key: String, among names: [(String, Value)]) -> [Value] {
        values(node, key, allowed: names.map(\.0).joined(separator: ", ")) { text in names.first { $0.0 == text }?.1 }
    }
}
