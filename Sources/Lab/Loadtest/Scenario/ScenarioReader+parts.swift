import Foundation
import Model
import Policy
import Settings
import Sink
import Yams

extension ScenarioReader {
    // MARK: Sinks

    mutating func sinks(_ node: Node?) -> [Scenario.SinkPlan] {
        guard let node else { return [] }
        guard let mapping = node.mapping, !mapping.isEmpty else {
            refuse(node, "sinks", "must be a mapping of names, such as {relay: {protocol: smtp}}")
            return []
        }
        return mapping.compactMap { key, value in
            let name = key.scalar?.string ?? ""
            guard Self.isName(name) else {
                refuse(key, Self.join("sinks", name), "a sink's name has 1 to 40 of a-z, 0-9, - and _, and begins with a letter")
                return nil
            }
            return sink(name, value)
        }
    }

    private mutating func sink(_ name: String, _ node: Node) -> Scenario.SinkPlan? {
        guard let mapping = node.mapping else {
            refuse(node, "sinks.\(name)", "must be a mapping such as {protocol: smtp, latency: 5-40ms}")
            return nil
        }
        var merged: Node = [:]
        var base: SinkProfile?
        if let place = mapping["profile"] {
            guard let profile = place.scalar?.string, let found = profileFile(profile) else {
                refuse(place, "sinks.\(name).profile", "no such profile; it is the name of a file in ../profiles without .yaml, or a path")
                return nil
            }
            var other = YAMLFile(name: found)
            if let root = other.read() {
                merged = root
                base = other.sinkProfile(root)
            }
            file.problems += other.problems
            if base == nil { return nil }
        }
        let before = file.problems.count
        let profile = file.sinkProfile(node, over: base, beside: ["profile"])
        for index in file.problems.indices.dropFirst(before) {
            let problem = file.problems[index]
            file.problems[index] = .init(
                place: problem.place, key: Self.join("sinks.\(name)", problem.key), text: problem.text)
        }
        guard let profile else { return nil }
        for (key, value) in mapping where key.scalar?.string != "profile" { merged[key] = value }
        merged["protocol"] = Node(profile.proto.rawValue)
        // Sources name figures that a value of the scenario may have replaced.
        merged["sources"] = []
        return Scenario.SinkPlan(name: name, profile: profile, yaml: YAMLText.of(merged))
    }

    private func profileFile(_ name: String) -> String? {
        let folder = URL(filePath: path).deletingLastPathComponent()
        let isPath = name.contains("/") || name.hasSuffix(".yaml")
        let url =
            isPath
            ? URL(filePath: name, relativeTo: folder)
            : folder.deletingLastPathComponent().appending(path: "profiles/\(name).yaml")
        return FileManager.default.fileExists(atPath: url.path) ? url.path : nil
    }

    static func isName(_ name: String) -> Bool {
        let rest = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
        }
        return rest && (1...40).contains(name.utf8.count) && name.first?.isLetter == true
    }

    // MARK: Fleet

    mutating func fleet(_ node: Node?, _ scenario: inout Scenario) {
        var fleet = Scenario.Fleet()
        var settings: Node = [:]
        if let node {
            let fields = fields(node, "fleet", ["workers", "planners", "collectors", "settings"])
            fleet.workers = number(fields, "workers", "fleet", 0...1_000) ?? fleet.workers
            fleet.planners = number(fields, "planners", "fleet", 0...100) ?? fleet.planners
            fleet.collectors = number(fields, "collectors", "fleet", 0...100) ?? fleet.collectors
            if let own = fields["settings"] {
                if own.mapping == nil {
                    refuse(own, "fleet.settings", "must hold sections of flotilla.yaml")
                } else {
                    settings = own
                }
            }
        }
        let before = file.problems.count
        checkOwn(settings, scenario.sinks)
        // Errors in the run's own settings are reported once, and not judged as well.
        guard file.problems.count == before else {
            scenario.fleet = fleet
            return
        }
        absolutePaths(&settings)
        fleet.yaml = YAMLText.of(settings)
        for sink in scenario.sinks {
            let scheme = sink.profile.proto == .smtp ? "smtp" : "http"
            settings.set(["providers", sink.name, "url"], "\(scheme)://127.0.0.1:1")
        }
        do throws(SettingsError) {
            fleet.settings = try Settings.read(settings, of: YAMLFile(name: file.name))
        } catch {
            for problem in error.problems {
                file.refuse(problem.place, "fleet.settings.\(problem.key)", problem.text)
            }
        }
        scenario.fleet = fleet
    }

    /// What the run itself sets in `flotilla.yaml`.
    private mutating func checkOwn(_ settings: Node, _ sinks: [Scenario.SinkPlan]) {
        for section in ["redis", "ledger", "metrics"] {
            if let node = settings[section] { refuse(node, "fleet.settings.\(section)", "is set by the run; leave it out") }
        }
        for (key, value) in settings["providers"]?.mapping ?? [:] {
            let name = key.scalar?.string ?? ""
            if !sinks.contains(where: { $0.name == name }) {
                refuse(key, "fleet.settings.providers.\(name)", "is none of the sinks: \(sinks.map(\.name).joined(separator: ", "))")
            }
            if let url = value["url"] { refuse(url, "fleet.settings.providers.\(name).url", "is the sink's; leave it out") }
        }
    }

    /// Files that the settings name lie beside the scenario.
    private func absolutePaths(_ settings: inout Node) {
        let folder = URL(filePath: path).deletingLastPathComponent()
        for key in ["responses", "answers"] {
            guard let name = settings["worker"]?[key]?.scalar?.string else { continue }
            settings.set(["worker", key], URL(filePath: name, relativeTo: folder).standardizedFileURL.path)
        }
    }

    // MARK: Mailings

    private static let mailingKeys = ["name", "channel", "provider", "recipients", "speed", "at", "copies", "domains"] + extraKeys
    /// Keys of a mailing file that are taken as they are; `flotilla mailing add` judges their values.
    private static let extraKeys = ["batch_size", "attempts", "lifetime", "uncertain"]

    mutating func mailings(_ node: Node?, _ scenario: Scenario) -> [Scenario.MailingPlan] {
        let items = items(node, "mailings")
        var plans: [Scenario.MailingPlan] = []
        for (index, item) in items.enumerated() {
            let section = "mailings[\(index)]"
            guard let plan = mailing(item, section, scenario.sinks) else { continue }
            if plans.contains(where: { $0.name == plan.name }) {
                refuse(item, "\(section).name", "'\(plan.name)' is another mailing's name as well")
            }
            plans.append(plan)
        }
        if let node, items.isEmpty, node.sequence != nil { refuse(node, "mailings", "must hold at least one mailing") }
        return plans
    }

    private mutating func mailing(
        _ node: Node, _ section: String, _ sinks: [Scenario.SinkPlan]
    ) -> Scenario.MailingPlan? {
        let before = file.problems.count
        let fields = fields(node, section, Self.mailingKeys)
        for key in ["name", "channel", "provider", "recipients"] where fields[key] == nil && node.mapping != nil {
            refuse(node, "\(section).\(key)", "is missing; a mailing needs name, channel, provider and recipients")
        }
        let name = text(fields, "name", section)
        if let name, let place = fields["name"], !Self.isName(name) {
            refuse(place, "\(section).name", "'\(name.prefix(80))' is not allowed; a name has 1 to 40 of a-z, 0-9, - and _")
        }
        let channel = choice(fields, "channel", section, Channel.self)
        let provider = text(fields, "provider", section)
        let sink = sinks.first { $0.name == provider }
        if let place = fields["provider"], let provider, sink == nil {
            let known = sinks.map(\.name).joined(separator: ", ")
            refuse(place, "\(section).provider", "'\(provider.prefix(80))' is none of the sinks: \(known)")
        }
        if let channel, let sink, (channel == .email) != (sink.profile.proto == .smtp), let place = fields["provider"] {
            refuse(place, "\(section).provider", "speaks \(sink.profile.proto.rawValue); email goes by smtp, all others by http")
        }
        let recipients = number(fields, "recipients", section, 1...100_000_000)
        let speed = speed(fields, section)
        let at = time(fields, "at", section) ?? 0
        let copies = number(fields, "copies", section, 1...1_000) ?? 1
        let domains = fields["domains"].map { self.domains($0, "\(section).domains", channel) } ?? []
        var extra: [String: String] = [:]
        for key in Self.extraKeys { extra[key] = text(fields, key, section) }
        guard file.problems.count == before, let name, let channel, let provider, let recipients else { return nil }
        return Scenario.MailingPlan(
            name: name, channel: channel, provider: provider, recipients: recipients, speed: speed, at: at,
            copies: copies, domains: domains, extra: extra)
    }

    private mutating func domains(_ node: Node, _ section: String, _ channel: Channel?) -> [SyntheticDomainShare] {
        guard let mapping = node.mapping else {
            refuse(node, section, "must be a mapping of domains and shares, such as {gmail.example: 40%, outlook.example: 25%}")
            return []
        }
        if let channel, channel != .email {
            refuse(node, section, "is of email: recipients of \(channel.rawValue) have no domain")
            return []
        }
        var shares: [SyntheticDomainShare] = []
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            guard let text = value.scalar?.string else {
                refuse(value, Self.join(section, name), "must be one value, such as 40%")
                continue
            }
            do throws(SyntheticDomainShareError) {
                shares.append(try SyntheticDomainShare(name, text))
            } catch {
                let place = if case .name = error { key } else { value }
                refuse(place, Self.join(section, String(name.prefix(80))), error.description)
            }
        }
        do throws(SyntheticDomainShareError) {
            try SyntheticDomainShare.check(shares)
        } catch {
            refuse(node, section, error.description)
        }
        return shares
    }

    private mutating func speed(_ fields: [String: Node], _ section: String) -> RateLimit? {
        guard let node = fields["speed"], let text = text(fields, "speed", section) else { return nil }
        do {
            return try RateLimit(text)
        } catch {
            refuse(node, "\(section).speed", error.description)
            return nil
        }
    }
}
