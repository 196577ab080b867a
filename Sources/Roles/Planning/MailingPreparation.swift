package import Ledger
package import Model
import Policy
import Templates

/// A mailing that was checked against its recipients' columns and its provider.
package struct PreparedJob: Sendable {
    package let mailing: Mailing
    package let source: RecipientSource
    /// When it starts, in milliseconds since 1970; nil starts it at once.
    package let start: Int64?
    package let provider: Provider
    /// By what it is known again.
    package let identity: MailingIdentity

    /// The same as the ledger takes it.
    /// - Parameter origin: the absolute path of the mailing file.
    package func new(_ id: MailingID, origin: String, onlyNew: Bool) -> NewMailing {
        var new = NewMailing(id: id, mailing: mailing, source: source)
        new.origin = origin
        new.identity = identity
        new.onlyNew = onlyNew
        new.start = start
        return new
    }
}

/// Checks a mailing before anything is sent: every template against the columns of the recipients' file.
package enum MailingPreparation {
    /// - Parameter providers: those that mailings may name.
    /// - Throws: `InputError`, `TemplateError`, `ProviderURLError`, `UnknownProvider`.
    package static func prepare(
        _ file: MailingFile, providers: [String: Provider], hostname: String
    ) throws -> PreparedJob {
        var mailing = file.mailing
        let provider = try provider(mailing.provider, providers)
        if providers[mailing.provider] == nil { mailing.provider = ProviderURL.canonicalURL(mailing.provider) }
        try Self.check(provider, suits: mailing.channel)
        let planner = try RecipientPlanner(source: file.recipients, channel: mailing.channel)
        mailing.fields = planner.fields
        mailing.nestedFields = try nestedFields(of: file.recipients)
        let used = try usedFields(mailing, provider, hostname)
        for index in used.sorted() {
            if let fault = RecipientPlanner.fault(ofColumn: mailing.fields[index], in: planner.columns, of: file.recipients.file) {
                throw fault
            }
        }
        if let check = try BodyCheck(mailing, provider) {
            try check.tryOut(RecipientPlanner(source: file.recipients, channel: mailing.channel, batchSize: 1))
        }
        // Only what the templates say travels with the batches.
        mailing.fields = planner.fields.enumerated().filter { $0.offset < 2 || used.contains($0.offset) }.map(\.element)
        mailing.nestedFields = mailing.nestedFields.filter(mailing.fields.contains)
        return PreparedJob(mailing: mailing, source: file.recipients, start: file.start, provider: provider, identity: file.identity)
    }

    /// The columns whose values templates may look into: those that hold a list or an object in one of the first recipients, or nothing in
    /// any of them.
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
            for column in 0..<row.count {
                guard let first = row.bytes[row.range(column)].first else { continue }
                if first == UInt8(ascii: "[") || first == UInt8(ascii: "{") { isNested[column] = true } else { hasScalar[column] = true }
            }
        }
        return reader.columns.enumerated().filter { isNested[$0.offset] || !hasScalar[$0.offset] }.map(\.element)
    }

    private static func usedFields(_ mailing: Mailing, _ provider: Provider, _ hostname: String) throws -> Set<Int> {
        switch mailing.channel {
        case .email: try EmailComposer(mailing: mailing, domain: hostname).columns
        case .sms, .messenger, .webhook: try BodyComposer(mailing: mailing, provider: provider).columns
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

package struct UnknownProvider: Error, CustomStringConvertible {
    let name: String
    let known: [String]

    package var description: String {
        let list = known.isEmpty ? "it names none" : "it names: \(known.joined(separator: ", "))"
        return "provider '\(name)' is no URL (smtp://host:port) and no provider of flotilla.yaml (\(list))"
    }
}

package struct UnsuitableProvider: Error, CustomStringConvertible {
    let provider: String
    let scheme: Provider.Scheme
    let channel: Channel

    package var description: String {
        """
        provider \(provider) speaks \(scheme.rawValue), which does not carry channel \(channel.rawValue): email takes smtp or \
        smtps, the others take http or https
        """
    }
}
