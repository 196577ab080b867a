import Configuration
import Foundation
import Model
import Policy
import Text
package import Yams

extension Settings {
    /// The configuration file where none is named.
    package static let usualFile = "flotilla.yaml"

    /// Reads the configuration: the environment wins over the file, the file over the defaults. A deprecated key is read,
    /// and noted in `warnings`.
    /// - Parameters:
    ///   - file: the YAML file; nil takes `flotilla.yaml` of the working directory if there is one.
    ///   - environment: the variables of the process; those that do not start with `FLOTILLA_` are left alone, and an
    ///     empty one counts as not set.
    /// - Throws: `SettingsError` with all unknown keys and bad values of file and environment at once.
    package static func load(
        file: String? = nil, environment: [String: String]
    ) throws(SettingsError) -> Settings {
        let path = file ?? (FileManager.default.fileExists(atPath: usualFile) ? usualFile : nil)
        return try make(
            path.map { SettingsFile.read($0) } ?? SettingsSource(),
            environment.filter { $0.key.hasPrefix(EnvironmentName.prefix) })
    }

    /// Reads a section of another file that has the keys and values of `flotilla.yaml`.
    /// - Throws: `SettingsError` with all errors, in places of that file.
    package static func read(_ section: Node, of file: YAMLFile) throws(SettingsError) -> Settings {
        try make(SettingsFile.read(section, of: file), [:])
    }

    private static func make(
        _ fromFile: SettingsSource, _ variables: [String: String]
    ) throws(SettingsError) -> Settings {
        let fromEnvironment = SettingsEnvironment.read(variables, file: fromFile)

        let providers = fromFile.providers.merging(fromEnvironment.providers) { first, _ in first }
        let reader = SettingsReader(file: fromFile.entries, environment: DeprecatedKeys.replacing(variables))
        let responses = reader.value(SettingsTable.workerResponses).map { ResponseRuleFile.read($0) }
        let visitors = reader.value(SettingsTable.trackerVisitors).map { VisitorRuleFile.read($0) }
        let webhookNames = fromFile.webhooks.merging(fromEnvironment.webhooks) { first, _ in first }
        let webhooks = WebhookSettings(webhookNames, reader)
        var problems =
            fromFile.problems + fromEnvironment.problems
            + missing(providers, in: fromFile.entries + fromEnvironment.entries)
            + clashes("providers", fromFile.providers) + clashes("domains", fromFile.domains)
            + twoLedgers(in: fromFile.entries + fromEnvironment.entries)
            + SettingsDomains.problems(fromFile.domains, in: fromFile.entries + fromEnvironment.entries)
            + (responses?.problems ?? []) + (visitors?.problems ?? [])
        let trackers = TrackerDomains(fromFile.entries, reader)
        problems += trackers.problems + webhooks.problems + clashes("tracker.webhooks", fromFile.webhooks)
        guard problems.isEmpty else { throw SettingsError(problems: problems) }

        var settings = Settings()
        settings.warnings = fromFile.warnings + fromEnvironment.warnings + (responses?.warnings ?? [])
        settings.differences = differences(fromFile.entries, fromEnvironment.entries)
        settings.readRoles(reader)
        settings.readOperation(reader)
        settings.tracker.webhooks = webhooks.webhooks
        settings.tracker.domains = trackers.addresses
        settings.warnings += settings.tracker.openAddresses
        if let domain = settings.email.unsubscribeDomain, settings.tracker.url == nil {
            settings.warnings.append(
                """
                email.unsubscribe_domain (\(domain)) has no effect without tracker.url: messages name no way to unsubscribe. Set \
                tracker.url (docs/tracking.md), or remove it
                """)
        }
        if let visitors { settings.visitors = visitors.rules }
        if let responses { settings.worker.responses = ResponseTable(own: responses.rules) }
        let fields = Set((fromFile.entries + fromEnvironment.entries).map(\.path).filter { $0.count == 4 })
        for name in providers.keys {
            settings.providers[name] = provider(name, headers: fields.filter { $0[1] == name }.map { $0[3] }, reader)
        }
        settings.readLimits(reader, providers: providers.keys.sorted(), domains: fromFile.domains.keys.sorted())
        return settings
    }

    private static func differences(_ file: [SettingsEntry], _ environment: [SettingsEntry]) -> [String] {
        let entries = Dictionary((file + environment).map { ($0.name, $0) }) { $1 }.values
        return entries.filter { $0.texts.joined(separator: ",") != $0.key.form.defaultText }.sorted { $0.name < $1.name }.map(\.masked)
    }

    /// Providers without a URL.
    private static func missing(
        _ providers: [String: String], in entries: [SettingsEntry]
    ) -> [SettingsError.Problem] {
        providers.sorted { $0.key < $1.key }.compactMap { name, place in
            if entries.contains(where: { $0.path == ["providers", name, "url"] }) { return nil }
            let allowed = SettingsTable.providerURL.key.form.allowed.filter { $0 != "`" }
            return SettingsError.Problem(
                place: place, key: "providers.\(name).url", text: "is missing; allowed: \(allowed)")
        }
    }

    /// A ledger has one place.
    private static func twoLedgers(in entries: [SettingsEntry]) -> [SettingsError.Problem] {
        guard let path = entries.first(where: { $0.name == SettingsTable.ledgerPath.key.name }) else { return [] }
        return entries.filter { $0.name == SettingsTable.ledgerURL.key.name }.map { url in
            SettingsError.Problem(
                place: url.place, key: url.name, text: "names the ledger, and so does \(path.name); leave one out")
        }
    }

    /// Names in a section that have the same environment variables.
    private static func clashes(_ section: String, _ places: [String: String]) -> [SettingsError.Problem] {
        let groups = Dictionary(grouping: places.keys.sorted()) { EnvironmentName.part($0) }
        return groups.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }.map { names in
            SettingsError.Problem(
                place: places[names[1]] ?? "", key: "\(section).\(names[1])",
                text: "has the same environment variables as \(section).\(names[0]); rename one")
        }
    }

    private mutating func readRoles(_ reader: SettingsReader) {
        if let url = reader.value(SettingsTable.redisURL) { redis.use(url) }
        reader.read(SettingsTable.redisUsername, into: &redis.username)
        reader.read(SettingsTable.redisPassword, into: &redis.password)
        reader.read(SettingsTable.redisPrefix, into: &redis.prefix)
        reader.read(SettingsTable.redisCAFile, into: &redis.caFile)
        reader.read(SettingsTable.redisTimeout, into: &redis.timeout)
        if let path = reader.value(SettingsTable.ledgerPath) { ledger.place = .file(path: path) }
        if let place = reader.value(SettingsTable.ledgerURL) { ledger.use(url: place) }
        reader.read(SettingsTable.ledgerFolder, into: &ledger.folder)
        reader.read(SettingsTable.ledgerKeep, into: &ledger.keep)
        reader.read(SettingsTable.ledgerReplay, into: &ledger.replay)
        reader.read(SettingsTable.plannerWindow, into: &planner.window)
        reader.read(SettingsTable.plannerWindowBytes, into: &planner.windowBytes)
        reader.read(SettingsTable.plannerBatchBytes, into: &planner.batchBytes)
        reader.read(SettingsTable.plannerPoll, into: &planner.poll)
        reader.read(SettingsTable.plannerStuckAfter, into: &planner.stuckAfter)
        reader.read(SettingsTable.plannerLease, into: &planner.lease)
        reader.read(SettingsTable.workerConcurrency, into: &worker.concurrency)
        reader.read(SettingsTable.workerGroup, into: &worker.group)
        reader.read(SettingsTable.workerPrefetchBytes, into: &worker.prefetchBytes)
        reader.read(SettingsTable.workerChannels, into: &worker.channels)
        reader.read(SettingsTable.workerFlush, into: &worker.flush)
        reader.read(SettingsTable.workerLease, into: &worker.lease)
        reader.read(SettingsTable.workerMaxDeliveries, into: &worker.maxDeliveries)
        reader.read(SettingsTable.workerRetryBase, into: &worker.retryBase)
        reader.read(SettingsTable.workerRetryCap, into: &worker.retryCap)
        reader.read(SettingsTable.collectorPartitions, into: &collector.partitions)
        reader.read(SettingsTable.collectorBatch, into: &collector.batch)
        reader.read(SettingsTable.refusalsAlike, into: &refusals.alike)
        reader.read(SettingsTable.refusalsWindow, into: &refusals.window)
        reader.read(SettingsTable.refusalsShare, into: &refusals.share)
        reader.read(SettingsTable.brakeComplaintsHour, into: &brake.complaintsHour)
        reader.read(SettingsTable.brakeComplaintsDay, into: &brake.complaintsDay)
        reader.read(SettingsTable.brakeBouncesHour, into: &brake.bouncesHour)
        reader.read(SettingsTable.brakeBouncesDay, into: &brake.bouncesDay)
        reader.read(SettingsTable.brakeLeastSent, into: &brake.leastSent)
        reader.read(SettingsTable.brakeLeastEvents, into: &brake.leastEvents)
        reader.read(SettingsTable.suppressionsSoftBounces, into: &suppressions.softBounces)
        reader.read(SettingsTable.suppressionsUnknownUser, into: &suppressions.unknownUser)
        reader.read(SettingsTable.suppressionsUnknownHost, into: &suppressions.unknownHost)
        reader.read(SettingsTable.suppressionsMoved, into: &suppressions.moved)
        reader.read(SettingsTable.suppressionsInactive, into: &suppressions.inactive)
        reader.read(SettingsTable.suppressionsSoft, into: &suppressions.softExpiry)
    }

    private mutating func readOperation(_ reader: SettingsReader) {
        if let listen = reader.value(SettingsTable.metricsListen) { metrics.listen = listen }
        reader.read(SettingsTable.logLevel, into: &log.level)
        reader.read(SettingsTable.logFormat, into: &log.format)
        reader.read(SettingsTable.logAddresses, into: &log.addresses)
        reader.read(SettingsTable.emailHostname, into: &email.hostname)
        reader.read(SettingsTable.emailDKIM, into: &email.dkim)
        reader.read(SettingsTable.emailReturnPath, into: &email.returnPath)
        reader.read(SettingsTable.emailListID, into: &email.headers.list)
        reader.read(SettingsTable.emailSenderID, into: &email.headers.sender)
        reader.read(SettingsTable.emailUnsubscribeDomain, into: &email.unsubscribeDomain)
        if let listen = reader.value(SettingsTable.bouncesListen) { bounces.listen = listen }
        reader.read(SettingsTable.bouncesConnections, into: &bounces.connections)
        reader.read(SettingsTable.bouncesMaildir, into: &bounces.maildir)
        reader.read(SettingsTable.bouncesDone, into: &bounces.done)
        reader.read(SettingsTable.trackerURL, into: &tracker.url)
        reader.read(SettingsTable.trackerKeys, into: &tracker.keys)
        reader.read(SettingsTable.trackerListen, into: &tracker.listen)
        reader.read(SettingsTable.trackerTrustedProxies, into: &tracker.trustedProxies)
        reader.read(SettingsTable.trackerAddresses, into: &tracker.addresses)
        reader.read(SettingsTable.trackerSpool, into: &tracker.spool)
        reader.read(SettingsTable.trackerSpoolLimit, into: &tracker.spoolLimit)
        reader.read(SettingsTable.trackerPageName, into: &tracker.pages.name)
        reader.read(SettingsTable.trackerPageColour, into: &tracker.pages.colour)
        reader.read(SettingsTable.trackerPageBackground, into: &tracker.pages.background)
        reader.read(SettingsTable.trackerPageLogo, into: &tracker.pages.logo)
        reader.read(SettingsTable.trackerPageTemplate, into: &tracker.pages.template)
        reader.read(SettingsTable.webhooksKeep, into: &webhooks.keep)
        reader.read(SettingsTable.webhooksPatience, into: &webhooks.patience)
        reader.read(SettingsTable.shutdownGrace, into: &shutdown.grace)
    }

    private mutating func readLimits(_ reader: SettingsReader, providers: [String], domains: [String]) {
        for name in providers { reader.read(SettingsTable.providerLimit, name, into: &limits.providers[name]) }
        for (channel, setting) in SettingsTable.channelLimits { reader.read(setting, into: &limits.channels[channel]) }
        limits.domains = domains.map { name in
            DomainLimit(
                name: name, names: reader.value(SettingsTable.domainNames, name),
                limit: reader.value(SettingsTable.domainLimit, name) ?? nil)
        }
    }

    private static func provider(_ name: String, headers: [String], _ reader: SettingsReader) -> Provider? {
        guard var provider = reader.value(SettingsTable.providerURL, name) else { return nil }
        provider.name = name
        reader.read(SettingsTable.providerUsername, name, into: &provider.username)
        reader.read(SettingsTable.providerPassword, name, into: &provider.password)
        reader.read(SettingsTable.providerConnections, name, into: &provider.connections)
        if let wait = reader.value(SettingsTable.providerConnectTimeout, name) {
            provider.connectTimeout = wait
        }
        if let wait = reader.value(SettingsTable.providerTimeout, name) { provider.timeout = wait }
        if let wait = reader.value(SettingsTable.providerFinalTimeout, name) { provider.finalTimeout = wait }
        reader.read(SettingsTable.providerStartTLS, name, into: &provider.startTLS)
        reader.read(SettingsTable.providerCAFile, name, into: &provider.caFile)
        reader.read(SettingsTable.providerBody, name, into: &provider.body)
        reader.read(SettingsTable.providerContentType, name, into: &provider.contentType)
        reader.read(SettingsTable.providerMessageID, name, into: &provider.messageID)
        for field in headers {
            if let value = reader.value(SettingsTable.providerHeader, name, field) { provider.headers[field] = value }
        }
        return provider
    }
}

extension Settings.Tracker {
    /// What is said of addresses without TLS that others than this machine can reach.
    fileprivate var openAddresses: [String] {
        let named = [("tracker.url", url)] + domains.sorted { $0.key < $1.key }.map { ("tracker.domains.\($0.key)", $0.value) }
        return named.compactMap { name, url in
            guard let url, let parsed = try? ParsedURL(url), parsed.scheme == "http", !URLHost.isLoopback(parsed.host) else { return nil }
            return """
                \(name) is \(url), without TLS: whoever is on the way reads and changes where links lead, and mail programs offer no \
                unsubscribing with one click (RFC 8058 section 3.1). Write https:// and let a proxy end TLS (docs/tracking.md); links \
                that were sent keep the address
                """
        }
    }
}
