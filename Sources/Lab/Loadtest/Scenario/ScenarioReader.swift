import Foundation
import Model
import Settings
import Sink
import Text
import Yams

/// Judges the document of a scenario, gathering every problem on the way.
struct ScenarioReader {
    static let needs = "about, sinks and mailings"
    static let keys = [
        "about", "redis", "seed", "timeout", "sinks", "fleet", "mailings", "script", "expect", "steps",
    ]

    var file: YAMLFile
    /// The scenario's file, to which the names of other files are relative.
    let path: String

    mutating func scenario(_ root: Node) -> Scenario {
        let name = URL(filePath: path).deletingPathExtension().lastPathComponent
        var scenario = Scenario(name: name, file: path, about: "")
        guard root.mapping != nil else {
            refuse(root, "", "must hold the keys of a scenario: \(Self.keys.joined(separator: ", "))")
            return scenario
        }
        let fields = fields(root, "", Self.keys)
        for key in ["about", "sinks", "mailings"] where fields[key] == nil {
            refuse(root, key, "is missing; a scenario needs \(Self.needs)")
        }
        scenario.about = text(fields, "about", "") ?? ""
        redis(fields, &scenario)
        if let seed = number(fields, "seed", "", 0...Int.max) { scenario.seed = UInt64(seed) }
        if let timeout = time(fields, "timeout", "") { scenario.timeout = timeout }
        scenario.sinks = sinks(fields["sinks"])
        fleet(fields["fleet"], &scenario)
        scenario.mailings = mailings(fields["mailings"], scenario)
        scenario.script = script(fields["script"], scenario).sorted { $0.at < $1.at }
        steps(fields["steps"], &scenario)
        scenario.expectations = expectations(fields["expect"], scenario)
        return scenario
    }

    private mutating func redis(_ fields: [String: Node], _ scenario: inout Scenario) {
        guard let text = text(fields, "redis", ""), let node = fields["redis"], text != "private" else { return }
        do { _ = try RedisURL(text) } catch {
            refuse(
                node, "redis", "is not 'private' and \(error); write redis://host[:port], rediss://host[:port] or unix:///path")
        }
        scenario.redis = .given(text)
    }

    private mutating func steps(_ node: Node?, _ scenario: inout Scenario) {
        guard let node else { return }
        guard let list = fields(node, "steps", ["workers"])["workers"] else {
            return refuse(node, "steps", "needs workers, such as {workers: [1, 2, 4, 8]}")
        }
        let numbers = (list.sequence ?? []).compactMap { $0.scalar.flatMap { Int($0.string) } }
        guard !numbers.isEmpty, numbers.count == list.sequence?.count, numbers.allSatisfy({ 1...1_000 ~= $0 }) else {
            return refuse(list, "steps.workers", "must be a list of numbers from 1 to 1000, such as [1, 2, 4, 8]")
        }
        scenario.steps = Scenario.Steps(workers: numbers)
    }

    // MARK: Fields

    /// The values of a mapping by their keys. Unknown keys are refused, and keys without a value are skipped.
    mutating func fields(_ node: Node, _ section: String, _ allowed: [String]) -> [String: Node] {
        guard let mapping = node.mapping else {
            refuse(node, section, "must be a mapping with the keys \(allowed.joined(separator: ", "))")
            return [:]
        }
        var fields: [String: Node] = [:]
        for (keyNode, value) in mapping {
            let key = keyNode.scalar?.string ?? ""
            guard allowed.contains(key) else {
                let near = NearestName.of(key, among: allowed).map { "did you mean \($0)?" }
                let advice = near ?? "allowed here: \(allowed.joined(separator: ", "))"
                refuse(keyNode, Self.join(section, key), "unknown key; \(advice)")
                continue
            }
            if !value.isNothing { fields[key] = value }
        }
        return fields
    }

    /// The items of a list; one that stands alone is a list of one.
    mutating func items(_ node: Node?, _ key: String) -> [Node] {
        guard let node else { return [] }
        guard let items = node.sequence else {
            refuse(node, key, "must be a list, each item begun with '- '")
            return []
        }
        return Array(items)
    }

    mutating func text(_ fields: [String: Node], _ key: String, _ section: String) -> String? {
        guard let node = fields[key] else { return nil }
        guard let text = node.scalar?.string else {
            refuse(node, Self.join(section, key), "must be one value")
            return nil
        }
        return text
    }

    mutating func number(
        _ fields: [String: Node], _ key: String, _ section: String, _ range: ClosedRange<Int>
    ) -> Int? {
        guard let node = fields[key], let text = text(fields, key, section) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let bounds = range.upperBound == .max ? "from \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            refuse(node, Self.join(section, key), "'\(text.prefix(80))' is no whole number \(bounds)")
            return nil
        }
        return number
    }

    /// Seconds.
    mutating func time(_ fields: [String: Node], _ key: String, _ section: String) -> Double? {
        guard let node = fields[key], let text = text(fields, key, section) else { return nil }
        guard let time = Duration(settingText: text), time <= .seconds(7 * 86_400) else {
            refuse(
                node, Self.join(section, key),
                "'\(text.prefix(80))' is no time; it is a whole number with ms, s, m, h or d, up to 7d")
            return nil
        }
        return time.seconds
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ fields: [String: Node], _ key: String, _ section: String, _: Choice.Type
    ) -> Choice? {
        guard let node = fields[key], let text = text(fields, key, section) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let allowed = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        refuse(node, Self.join(section, key), "'\(text.prefix(80))' is not allowed; allowed: \(allowed)")
        return nil
    }

    mutating func refuse(_ node: Node, _ key: String, _ text: String) { file.refuse(file.place(node), key, text) }

    static func join(_ section: String, _ key: String) -> String { section.isEmpty ? key : "\(section).\(key)" }
}
