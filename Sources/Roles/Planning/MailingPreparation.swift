package import Ledger
package import Model
package import Policy
package import Templates
import Text

/// A mailing that was checked against its recipients' columns and its provider.
package struct PreparedJob: Sendable {
    package let mailing: Mailing
    package let source: RecipientSource
    /// When it starts, in milliseconds since 1970; nil starts it at once.
    package let start: Int64?
    package let provider: Provider
    /// What it is known by after an edit.
    package let identity: MailingIdentity
    /// Where the mailing file names its category, as `mailing.yaml:3:11`.
    package let categoryPlace: String?
    /// What is remarkable in its texts, each with its place.
    package let remarks: [TemplateError.Problem]
    package var warnings: [String] { remarks.map(\.description) }
    /// Header fields that it gets where its file has none of its own.
    package var headers = SenderHeaders()

    /// The mailing as the ledger takes it.
    /// - Parameter origin: the absolute path of the mailing file.
    package func new(_ id: MailingID, origin: String, onlyNew: Bool) -> NewMailing {
        var new = NewMailing(id: id, mailing: headers.added(to: mailing, id: id), source: source)
        new.origin = origin
        new.identity = identity
        new.onlyNew = onlyNew
        new.start = start
        return new
    }
}

/// Checks a mailing before anything is sent: every template against the columns of the recipients' file.
package enum MailingPreparation {
    /// - Parameters:
    ///   - providers: those that mailings may name.
    ///   - tracker: where links of messages can lead to; nil where there is no tracker.
    /// - Throws: `InputError`, `TemplateError`, `ProviderURLError`, `UnknownProvider`, `MissingTracker`.
    package static func prepare(
        _ file: MailingFile, providers: [String: Provider], tracker: TrackerAddresses? = nil
    ) throws -> PreparedJob {
        var mailing = file.mailing
        mailing.tracking = try tracking(of: file, hasTracker: tracker != nil)
        let provider: Provider
        do { provider = try Self.provider(mailing.provider, providers) } catch var unknown as UnknownProvider {
            unknown.place = file.providerPlace
            throw unknown
        }
        if providers[mailing.provider] == nil { mailing.provider = ProviderURL.canonicalURL(mailing.provider) }
        try Self.check(provider, suits: mailing.channel)
        let planner = try RecipientPlanner(source: file.recipients, channel: mailing.channel)
        mailing.fields = planner.fields
        if let name = file.tracking.unless {
            _ = try RecipientPlanner.find(name, "objections to tracking", in: planner.columns, of: file.recipients)
        }
        if file.recipients.format == .ndjson {
            // A dotted name into a column that has only texts is a mistake.
            mailing.nestedFields = try nestedFields(of: file.recipients)
            _ = try contents(mailing, provider)
            // Any value may be the first list or object of its column, however far behind it stands.
            mailing.nestedFields = mailing.fields
            mailing.fields.append(ValueKinds.field)
        }
        let contents = try contents(mailing, provider)
        let (used, isNested) = (contents.columns, contents.isNested)
        mailing.tracking?.targets = contents.links.map(\.target)
        mailing.tracking?.linksOfParts = contents.linksOfParts
        if !isTracked(mailing, contents) { mailing.tracking = nil }
        for index in used.sorted() {
            if let fault = RecipientPlanner.fault(ofColumn: mailing.fields[index], in: planner.columns, of: file.recipients.file) {
                throw fault
            }
        }
        var body: TemplateError.Problem?
        if let check = try BodyCheck(mailing, provider) {
            let names = Set(mailing.fields.dropFirst(2))
            body = try check.tryOut(
                RecipientPlanner(source: file.recipients, channel: mailing.channel, keeping: names, bounds: .init(size: 1)))
        }
        // Batches hold only the columns that the templates name.
        mailing.fields = mailing.fields.enumerated().filter { place, name in
            place < 2 || used.contains(place) || isNested && name == ValueKinds.field
        }.map(\.element)
        mailing.nestedFields = isNested ? mailing.nestedFields.filter(mailing.fields.contains) : []
        let length = try lengthWarning(mailing, file.recipients, url: tracker?.url(ofSender: mailing.from))
        return PreparedJob(
            mailing: mailing, source: file.recipients, start: file.start, provider: provider, identity: file.identity,
            categoryPlace: file.categoryPlace, remarks: contents.warnings + [body, length].compactMap(\.self))
    }

    /// What is said of an SMS whose text takes more than one message, by its first recipient; nil for any other.
    private static func lengthWarning(_ mailing: Mailing, _ source: RecipientSource, url: String?) throws -> TemplateError.Problem? {
        guard mailing.channel == .sms else { return nil }
        var planner = try RecipientPlanner(
            source: source, channel: .sms, keeping: Set(mailing.fields.dropFirst(2)), bounds: .init(size: 1))
        var chunk = planner.makeChunk()
        for _ in 0..<100 {
            guard try planner.next(&chunk) else { break }
            guard !chunk.recipients.isEmpty else { continue }
            let length = try TextMessageLength(mailing, url: url).length(chunk.recipients, row: 0)
            guard length.segments > 1 else { return nil }
            let units = length.isGSM ? "characters of GSM's alphabet (160, or 153 of each of several)" : "characters of Unicode (70, or 67)"
            return TemplateError.Problem(
                file: mailing.text.file, what: "the text to recipient '\(chunk.recipients[0, 0])' takes \(length.segments) messages",
                remedy: "it has \(length.units) \(units), with its links as they are sent")
        }
        return nil
    }

    /// What the mailing has of the tracker, before its texts are known; nil where there is none.
    private static func tracking(of file: MailingFile, hasTracker: Bool) throws(MissingTracker) -> MailingTracking? {
        guard hasTracker else {
            if let place = file.tracking.place { throw MissingTracker(place: place) }
            return nil
        }
        var tracking = MailingTracking(
            isCounted: file.mailing.channel != .webhook && file.tracking.isCounted != false, campaign: file.tracking.campaign)
        tracking.unless = file.tracking.unless
        return tracking
    }

    /// Its messages have something of the tracker. An e-mail that is counted has a pixel, whatever it says.
    private static func isTracked(_ mailing: Mailing, _ contents: Contents) -> Bool {
        guard mailing.tracking?.isCounted == true else { return contents.namesPages }
        return mailing.channel == .email || !contents.links.isEmpty || contents.namesPages
    }

    /// The columns that dotted names may look into: those that hold a list or an object in one of the first recipients, or nothing in any
    /// of them.
    private static func nestedFields(of source: RecipientSource) throws(InputError) -> [String] {
        guard source.format == .ndjson else { return [] }
        var reader = try RecipientReader(source)
        var row = InputRow()
        var hasScalar = reader.columns.map { _ in false }
        var isNested = hasScalar
        var bytes = 0
        while bytes < NDJSONReader.sample.bytes, row.number < NDJSONReader.sample.rows, try reader.next(&row) {
            guard row.fault == nil else { continue }
            bytes += row.bytes.count
            for column in row.nested { isNested[column] = true }
            for column in 0..<row.count where !row.range(column).isEmpty && !row.nested.contains(column) { hasScalar[column] = true }
        }
        return reader.columns.enumerated().filter { isNested[$0.offset] || !hasScalar[$0.offset] }.map(\.element)
    }

    /// What the templates of a mailing have.
    private struct Contents {
        /// The places of the fields that they use.
        var columns: Set<Int>
        /// They look into some of the fields.
        var isNested: Bool
        /// They name pages of the tracker.
        var namesPages: Bool
        var links: [MessageLink] = []
        var linksOfParts: [Int] = []
        var warnings: [TemplateError.Problem] = []
    }

    private static func contents(_ mailing: Mailing, _ provider: Provider) throws -> Contents {
        switch mailing.channel {
        case .email:
            let composer = try EmailComposer(mailing: mailing)
            return Contents(
                columns: composer.columns, isNested: composer.isNested, namesPages: composer.namesPages, links: composer.links,
                linksOfParts: composer.linksOfParts, warnings: composer.warnings)
        case .sms, .messenger, .webhook:
            let composer = try BodyComposer(mailing: mailing, provider: provider)
            return Contents(
                columns: composer.columns, isNested: composer.isNested, namesPages: composer.namesPages, links: composer.links,
                linksOfParts: composer.links.isEmpty ? [] : [composer.links.count])
        }
    }

    /// The provider that a mailing names.
    /// - Throws: `UnknownProvider`, `ProviderURLError`.
    package static func provider(_ name: String, _ providers: [String: Provider]) throws -> Provider {
        if let provider = providers[name] { return provider }
        if ProviderURL.isURL(name) { return try ProviderURL.parse(name) }
        throw UnknownProvider(name: name, known: providers.keys.sorted())
    }

    private static func check(_ provider: Provider, suits channel: Channel) throws {
        guard provider.scheme.isSMTP == (channel == .email) else {
            throw UnsuitableProvider(provider: provider.name, scheme: provider.scheme, channel: channel)
        }
    }
}

/// A mailing names a provider that the configuration does not have.
package struct UnknownProvider: Error, CustomStringConvertible {
    let name: String
    let known: [String]
    /// File, line and column of a mailing file that names it; nil for the command line.
    var place: String?

    package var description: String {
        let list = known.isEmpty ? "it names none" : "it names: \(known.joined(separator: ", "))"
        return "\(place.map { $0 + ": " } ?? "")provider '\(name)' is no URL (smtp://host:port) and no provider of flotilla.yaml (\(list))"
    }
}

/// A mailing asks for what only a tracker can do, and none is configured.
package struct MissingTracker: Error, CustomStringConvertible {
    /// File, line and column of what asks for it.
    let place: String

    package var description: String {
        "\(place): links are counted by a tracker, and there is none: set tracker.url in flotilla.yaml (docs/tracking.md), or leave it out"
    }
}

/// A mailing's provider speaks a protocol that its channel does not use.
package struct UnsuitableProvider: Error, CustomStringConvertible {
    let provider: String
    let scheme: Provider.Scheme
    let channel: Channel

    package var description: String {
        """
        provider \(provider) speaks \(scheme.rawValue), which does not serve channel \(channel.rawValue): email takes smtp or \
        smtps, the others take http or https
        """
    }
}
