import Model
import Policy
import Text
import Yams

/// Reads the operator's rules about visitors (`tracker.visitors`): rules and networks that stand before the built-in ones, or replace them.
/// Every unknown key and bad value is refused with its line and what is allowed.
struct VisitorRuleFile {
    /// Rules at most, since each visit is compared with them.
    static let most = 500

    enum Key: String, CaseIterable {
        case version, replace, bursts, networks, rules
    }

    var file: YAMLFile
    private var version: String?
    private var replaces = false
    private var bursts = BurstThresholds()
    private var networks: [VisitorRules.NetworkRanges] = []
    private var rules: [VisitorRule] = []

    /// The rules in effect with a file, or what is wrong with it.
    static func read(_ path: String) -> (rules: VisitorRules, problems: [SettingsError.Problem]) {
        var reader = VisitorRuleFile(file: YAMLFile(name: path))
        if let root = reader.file.read() { reader.take(root) }
        return (reader.result, reader.file.problems)
    }

    private init(file: YAMLFile) { self.file = file }

    /// A network of a built-in's name takes its place.
    private var result: VisitorRules {
        let own = Set(networks.map(\.name))
        let others = replaces ? [] : VisitorRules.builtInNetworks.filter { !own.contains($0.name) }
        return VisitorRules(
            version: version ?? VisitorRules.builtInVersion, rules: rules + (replaces ? [] : VisitorRules.builtInRules),
            networks: others + networks, bursts: bursts)
    }

    private mutating func take(_ root: Node) {
        guard let mapping = root.mapping else {
            return file.refuse(file.place(root), "", "must be a section with \(Self.names(Key.self))")
        }
        for (keyNode, node) in mapping {
            guard let key = key(keyNode, Key.self), !node.isNothing else { continue }
            switch key {
            case .version: version = text(node, key.rawValue, allowed: "1 to 64 bytes on one line") { Self.line($0, longest: 64) }
            case .replace: replaces = text(node, key.rawValue, allowed: "true, false") { Bool($0) } ?? false
            case .bursts: readBursts(node)
            case .networks: readNetworks(node)
            case .rules: readRules(node)
            }
        }
        let known = Set((networks + (replaces ? [] : VisitorRules.builtInNetworks)).map(\.name))
        for rule in rules {
            guard let name = rule.condition.networks.subtracting(known).min() else { continue }
            let near = NearestName.of(name, among: known.sorted()).map { "; did you mean \($0)?" } ?? "; name it in networks"
            file.refuse(rule.origin ?? file.name, "network", "'\(name.prefix(80))' has no ranges" + near)
        }
        // Counts by other rules must not pass for counts by the built-in ones.
        if version == nil {
            file.refuse(file.place(root), "version", "is missing; name your rules, as 2026-11-30, and anew when they change")
        }
    }

    private mutating func readRules(_ node: Node) {
        guard let items = node.sequence else { return file.refuse(file.place(node), "rules", "must be a list of rules") }
        guard items.count <= Self.most else {
            return file.refuse(file.place(node), "rules", "has \(items.count) rules; allowed: \(Self.most) at most")
        }
        for item in items { if let rule = rule(item) { rules.append(rule) } }
    }

    private mutating func readBursts(_ node: Node) {
        guard let mapping = node.mapping else {
            return file.refuse(file.place(node), "bursts", "must be a section with \(Self.names(BurstKey.self))")
        }
        for (keyNode, node) in mapping {
            guard let key = key(keyNode, BurstKey.self, in: "bursts."), !node.isNothing else { continue }
            let name = "bursts.\(key.rawValue)"
            switch key {
            case .window: set(\.window, name, node, .milliseconds(100)...(.seconds(60)))
            case .pixelBefore: set(\.pixelBefore, name, node, .zero...(.seconds(600)))
            case .links: set(\.links, name, node, 2...1000)
            case .allOf: set(\.allOf, name, node, 2...1000)
            case .domainRecipients: set(\.domainRecipients, name, node, 2...1_000_000)
            case .domainShare: set(\.domainShare, name, node, 1...100)
            }
        }
    }

    private enum BurstKey: String, CaseIterable {
        case window, links
        case allOf = "all_of"
        case pixelBefore = "pixel_before"
        case domainRecipients = "domain_recipients"
        case domainShare = "domain_share"
    }

    private mutating func set(
        _ path: WritableKeyPath<BurstThresholds, Int64>, _ name: String, _ node: Node, _ allowed: ClosedRange<Duration>
    ) {
        let range = "\(allowed.lowerBound.settingText) to \(allowed.upperBound.settingText)"
        let value = text(node, name, allowed: range) { text in
            Duration(settingText: text).flatMap { allowed.contains($0) ? $0 : nil }
        }
        if let value { bursts[keyPath: path] = Int64(value / .milliseconds(1)) }
    }

    private mutating func set(_ path: WritableKeyPath<BurstThresholds, Int>, _ name: String, _ node: Node, _ allowed: ClosedRange<Int>) {
        let value = text(node, name, allowed: "\(allowed.lowerBound) to \(allowed.upperBound)") { text in
            Int(text).flatMap { allowed.contains($0) ? $0 : nil }
        }
        if let value { bursts[keyPath: path] = value }
    }

    private mutating func readNetworks(_ node: Node) {
        guard let mapping = node.mapping else {
            return file.refuse(file.place(node), "networks", "must be a section with a name for each network")
        }
        var count = 0
        for (keyNode, node) in mapping {
            let name = keyNode.scalar?.string ?? ""
            guard 1...TrackedEvent.networkBytes ~= name.utf8.count, name.utf8.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "-") })
            else {
                file.refuse(
                    file.place(keyNode), "networks.\(name.prefix(80))",
                    "is no name; allowed: 1 to \(TrackedEvent.networkBytes) of a-z, A-Z, 0-9 and -")
                continue
            }
            let found = ranges(node, "networks.\(name)")
            count += found.count
            networks.append(VisitorRules.NetworkRanges(name: name, ranges: found, source: file.place(keyNode)))
        }
        if count > NamedNetworks.most || networks.count > NamedNetworks.mostNames {
            file.refuse(
                file.place(node), "networks",
                "has \(networks.count) names and \(count) ranges; allowed: \(NamedNetworks.mostNames) and \(NamedNetworks.most) at most")
        }
    }

    // What the sections share

    /// A key of a section; nil for an unknown one, which is refused.
    mutating func key<Name: RawRepresentable<String> & CaseIterable>(_ node: Node, _: Name.Type, in section: String = "") -> Name? {
        let name = node.scalar?.string ?? ""
        if let key = Name(rawValue: name) { return key }
        let near = NearestName.of(name, among: Name.allCases.map(\.rawValue))
        file.refuse(
            file.place(node), section + name.prefix(80),
            near.map { "unknown key; did you mean \($0)?" } ?? "unknown key; allowed here: \(Self.names(Name.self))")
        return nil
    }

    /// The value of a key that takes one; nil for one that is not allowed, which is refused.
    mutating func text<Value>(_ node: Node, _ key: String, allowed: String, _ read: (String) -> Value?) -> Value? {
        guard let text = node.scalar?.string else {
            file.refuse(file.place(node), key, "must be one value; allowed: \(allowed)")
            return nil
        }
        guard let value = read(text) else {
            file.refuse(file.place(node), key, "'\(text.prefix(80))' is not allowed; allowed: \(allowed)")
            return nil
        }
        return value
    }

    static func line(_ text: String, longest: Int) -> String? {
        1...longest ~= text.utf8.count && !text.utf8.contains(where: \.isControl) ? text : nil
    }

    static func names<Name: RawRepresentable<String> & CaseIterable>(_: Name.Type) -> String {
        Name.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
