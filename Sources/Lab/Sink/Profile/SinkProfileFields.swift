import Policy
import Settings
import Text
import Yams

/// The fields of a sink's profile as they were written, and the profile that they make.
struct SinkProfileFields {
    enum Key: String, CaseIterable {
        case about
        case proto = "protocol"
        case latency, connections
        case messagesPerConnection = "messages_per_connection"
        case limit, fail, sources
    }

    static let names = Key.allCases.map(\.rawValue).joined(separator: ", ")
    /// Connections, or messages over one, at most; 0 lifts the limit.
    private static let largest = 1_000_000
    private static let longestText = 400

    private(set) var file: YAMLFile
    private let start: String
    private let others: [String]
    private var values: [Key: Node] = [:]
    private var figures: [String] = []

    /// - Parameter start: where the section begins.
    init(file: YAMLFile, start: String, others: [String]) {
        self.file = file
        self.start = start
        self.others = others
    }

    mutating func profile(_ mapping: Node.Mapping, over base: SinkProfile?) -> SinkProfile? {
        collect(mapping)
        guard let proto = proto(base) else { return nil }
        var profile = base ?? SinkProfile(proto: proto)
        if let about = text(.about) { profile.about = about }
        if let latency = latency() { profile.latency = latency }
        if let number = number(.connections) { profile.connections = number }
        if let number = number(.messagesPerConnection) { profile.messagesPerConnection = number }
        if let limit = limit(proto) { profile.limit = limit.value }
        if let failures = failures(proto) { profile.failures = failures }
        profile.figures += figures.filter { !profile.figures.contains($0) }
        sources(into: &profile)
        return profile
    }

    private mutating func collect(_ mapping: Node.Mapping) {
        for (keyNode, node) in mapping {
            let name = keyNode.scalar?.string ?? ""
            if let key = Key(rawValue: name) {
                if !node.isNothing { values[key] = node }
            } else if !others.contains(name) {
                let known = Key.allCases.map(\.rawValue) + others
                let near = NearestName.of(name, among: known).map { "did you mean \($0)?" }
                let advice = near ?? "allowed here: \(known.joined(separator: ", "))"
                file.refuse(file.place(keyNode), name, "unknown key; \(advice)")
            }
        }
    }

    private mutating func proto(_ base: SinkProfile?) -> SinkProfile.Proto? {
        let allowed = SinkProfile.Proto.allCases.map(\.rawValue).joined(separator: ", ")
        guard let node = values[.proto] else {
            if base == nil { file.refuse(start, Key.proto.rawValue, "is missing; allowed: \(allowed)") }
            return base?.proto
        }
        guard let proto = node.scalar.flatMap({ SinkProfile.Proto(rawValue: $0.string) }) else {
            refuse(.proto, node, "'\(node.scalar?.string.prefix(80) ?? "")' is not allowed; allowed: \(allowed)")
            return nil
        }
        if let base, base.proto != proto {
            refuse(.proto, node, "is \(proto.rawValue), but the profile that it goes over is of \(base.proto.rawValue)")
        }
        return proto
    }

    private mutating func latency() -> SinkLatency? {
        guard let node = values[.latency] else { return nil }
        guard node.mapping != nil else {
            figures.append(Key.latency.rawValue)
            return parsed(.latency) { text throws(SinkError) in try SinkLatency(parsing: text) }
        }
        let parts = parts(.latency, ["p50", "p99"])
        var points: [Int64] = []
        for name in ["p50", "p99"] {
            guard let part = parts[name] else {
                refuse(.latency, node, "needs p50 and p99")
                return nil
            }
            guard let time = part.scalar.flatMap({ SinkLatency.nanoseconds($0.string[...]) }) else {
                refuse(.latency, part, part: name, "is no time such as 120ms; the units are us, ms, s and min")
                return nil
            }
            points.append(time)
            figures.append("\(Key.latency.rawValue).\(name)")
        }
        guard let latency = SinkLatency(p50: points[0], p99: points[1]) else {
            refuse(.latency, node, "p50 has to be above 0, and p99 no less than p50")
            return nil
        }
        return latency
    }

    /// - Returns: nil where none was written or it is wrong; a nil value where it was lifted.
    private mutating func limit(_ proto: SinkProfile.Proto) -> (value: SinkLimit?, Void)? {
        guard let node = values[.limit] else { return nil }
        if node.scalar?.string == "none" { return (nil, ()) }
        guard node.mapping != nil else {
            refuse(.limit, node, "must be a mapping such as {rate: 100/s, burst: 20, code: 429}, or none")
            return nil
        }
        let before = file.problems.count
        let names = ["rate", "burst", "code", "status", "retry_after", "text"]
        let parts = parts(.limit, names)
        figures += names.filter { parts[$0] != nil && $0 != "text" && $0 != "status" }
            .map { "\(Key.limit.rawValue).\($0)" }
        guard let rate = rate(node, parts) else { return nil }
        var options = FaultOptions()
        check(parts, "status") { text throws(SinkError) in try options.take(status: text) }
        check(parts, "retry_after") { text throws(SinkError) in try options.take(retryAfter: text) }
        check(parts, "text") { text throws(SinkError) in try options.take(text: text) }
        var code: Int?
        check(parts, "code") { text throws(SinkError) in
            guard let number = Int(text) else { throw SinkError("'\(text)' is no code, such as 429") }
            code = number
        }
        guard file.problems.count == before else { return nil }
        do {
            return (try SinkLimit(rate: rate, code: code, options: options, over: proto), ())
        } catch {
            refuse(.limit, node, error.description)
            return nil
        }
    }

    private mutating func rate(_ node: Node, _ parts: [String: Node]) -> RateLimit? {
        guard let part = parts["rate"] else {
            refuse(.limit, node, "needs a rate, such as 100/s")
            return nil
        }
        let burst = parts["burst"]?.scalar.map { ",burst=\($0.string)" } ?? ""
        do {
            return try RateLimit((part.scalar?.string ?? "") + burst)
        } catch {
            refuse(.limit, part, part: "rate", error.description)
            return nil
        }
    }

    private mutating func failures(_ proto: SinkProfile.Proto) -> FailureProfile? {
        guard let node = values[.fail] else { return nil }
        figures.append(Key.fail.rawValue)
        let found = parsed(.fail) { text throws(SinkError) in try FailureProfile(parsing: text) }
        if let code = found?.codeNeverMet(over: proto) {
            refuse(
                .fail, node, "\(code) goes to the other protocol than \(proto.rawValue); give it a stage (docs/sink.md)"
            )
        }
        return found
    }

    private mutating func sources(into profile: inout SinkProfile) {
        guard let node = values[.sources] else { return }
        guard let items = node.sequence else { return refuse(.sources, node, "must be a list, each begun with '- '") }
        for item in items {
            guard let source = source(item) else { continue }
            profile.sources.append(source)
            if profile.idleSources.contains(source) {
                let known = profile.figures.joined(separator: ", ")
                refuse(
                    .sources, item, part: "figure", "'\(source.figure)' is no figure of this profile; it has \(known)")
            }
        }
    }

    private mutating func source(_ item: Node) -> SinkProfile.Source? {
        let parts = parts(.sources, ["figure", "says", "url", "seen"], of: item)
        guard let figure = parts["figure"]?.scalar?.string, let says = parts["says"]?.scalar?.string,
            let url = parts["url"]?.scalar?.string, !says.isEmpty, says.utf8.count <= Self.longestText
        else {
            refuse(
                .sources, item,
                "each needs a figure, what says of it (\(Self.longestText) bytes at most) and a url, or url: none")
            return nil
        }
        let seen = parts["seen"]?.scalar?.string
        if url == "none" { return SinkProfile.Source(figure: figure, says: says, url: nil, seen: seen) }
        guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
            refuse(.sources, item, part: "url", "is none that begins with https://, nor 'none'")
            return nil
        }
        guard let seen, Self.isDay(seen) else {
            refuse(.sources, item, part: "seen", "must be the day on which it was looked up, such as 2026-11-22")
            return nil
        }
        return SinkProfile.Source(figure: figure, says: says, url: url, seen: seen)
    }

    private static func isDay(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.count) == [4, 2, 2] && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }

    private mutating func text(_ key: Key) -> String? {
        guard let node = values[key] else { return nil }
        guard let text = node.scalar?.string, text.utf8.count <= Self.longestText else {
            refuse(key, node, "must be a text of \(Self.longestText) bytes at most")
            return nil
        }
        return text
    }

    private mutating func number(_ key: Key) -> Int? {
        guard let node = values[key] else { return nil }
        figures.append(key.rawValue)
        guard let number = node.scalar.flatMap({ Int($0.string) }), (0...Self.largest).contains(number) else {
            refuse(key, node, "must be a whole number from 0 (no limit) to \(Self.largest)")
            return nil
        }
        return number
    }

    private mutating func parsed<Value>(_ key: Key, _ read: (String) throws(SinkError) -> Value) -> Value? {
        guard let node = values[key] else { return nil }
        guard let text = node.scalar?.string else {
            refuse(key, node, "must be one value")
            return nil
        }
        do {
            return try read(text)
        } catch {
            refuse(key, node, error.description)
            return nil
        }
    }

    private mutating func check(
        _ parts: [String: Node], _ name: String, _ take: (Substring) throws(SinkError) -> Void
    ) {
        guard let node = parts[name] else { return }
        do {
            try take(node.scalar?.string[...] ?? "")
        } catch {
            refuse(.limit, node, part: name, error.description)
        }
    }

    /// What stands in a field that is a mapping, by its names; unknown ones are refused.
    private mutating func parts(_ key: Key, _ names: [String], of item: Node? = nil) -> [String: Node] {
        var parts: [String: Node] = [:]
        for (keyNode, node) in (item ?? values[key])?.mapping ?? [:] {
            let name = keyNode.scalar?.string ?? ""
            if names.contains(name) {
                if !node.isNothing { parts[name] = node }
            } else {
                refuse(key, keyNode, part: name, "unknown key; allowed here: \(names.joined(separator: ", "))")
            }
        }
        return parts
    }

    private mutating func refuse(_ key: Key, _ node: Node, part: String? = nil, _ text: String) {
        file.refuse(file.place(node), part.map { "\(key.rawValue).\($0)" } ?? key.rawValue, text)
    }
}
