package import Model
import Text

/// A request that says it comes from a provider, read: its signature is to be checked before its events are believed.
package struct Webhook: Sendable {
    let scheme: ProviderScheme
    let request: WebhookRequest
    /// The JSON text of the body, or the fields of its form.
    let content: JSONValue

    /// - Throws: `WebhookFault.malformed` for a body that is too large, or is not of the scheme's form.
    package init(_ request: WebhookRequest, by scheme: ProviderScheme) throws(WebhookFault) {
        guard request.body.count <= WebhookRequest.mostBytes else { throw .malformed("a body of \(request.body.count) bytes") }
        switch scheme.form {
        case .json, .notification:
            guard let value = JSONValue(request.body) else { throw .malformed("no JSON") }
            content = value
        case .form:
            guard let fields = Self.fields(request.body) else { throw .malformed("no form") }
            content = .object(fields.mapValues { .text($0) })
        }
        (self.scheme, self.request) = (scheme, request)
    }

    /// The address that is to be asked once, so that SNS sends what it has; nil where the request is something else.
    package var confirmation: String? {
        guard scheme.form == .notification, content["Type"]?.plain == "SubscriptionConfirmation",
            let url = content["SubscribeURL"]?.plain, NotificationService.isOwn(url)
        else { return nil }
        return url
    }

    /// The topic of Amazon's SNS that a message comes from: whoever has an account there can make others. Nil for none.
    package var topic: String? { content["TopicArn"]?.plain }

    /// What it tells, each by itself: one that cannot be read is `unknown`, and harms no other.
    /// - Throws: `WebhookFault.malformed`.
    package func receipts() throws(WebhookFault) -> [ProviderReceipt] {
        switch (scheme.form, content) {
        case (.notification, _):
            guard content["Type"]?.plain == "Notification" else { return [] }
            guard let message = content["Message"]?.plain else { throw .malformed("no Message") }
            // SNS says in plain words that it has accepted the topic.
            guard let value = JSONValue(Array(message.utf8)) else { return [] }
            return [scheme.receipt(value)]
        case (_, .list(let items)):
            guard items.count <= WebhookRequest.mostReceipts else { throw .malformed("\(items.count) receipts") }
            return items.map(scheme.receipt)
        case (_, .object): return [scheme.receipt(content)]
        default: throw .malformed("neither a list nor an object")
        }
    }

    /// The fields of a form (URL Standard section 5.1); nil where it has more than a thousand, or a `%` without digits.
    private static func fields(_ body: [UInt8]) -> [String: String]? {
        guard let text = String(validating: body, as: UTF8.self) else { return nil }
        let pairs = text.split(separator: "&")
        guard pairs.count <= 1000 else { return nil }
        var fields: [String: String] = [:]
        for pair in pairs {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { PercentEncoding.decode($0.replacing("+", with: " ")) }
            guard let name = halves.first ?? nil, let value = halves.count == 2 ? halves[1] : "" else { return nil }
            fields[name] = value
        }
        return fields
    }
}

extension ProviderScheme {
    func receipt(_ value: JSONValue) -> ProviderReceipt {
        func first(_ paths: [String]) -> String {
            let text = paths.lazy.compactMap { value[$0]?.plain }.first { !$0.isEmpty } ?? ""
            return Self.cut(text)
        }
        let word = first(self.word)
        let kind = words.first { $0.word == word && $0.fits(value) }?.kind
        var receipt = ProviderReceipt(kind ?? .unknown, word: word)
        receipt.providerID = first(providerID)
        if let end = providerIDEnd { receipt.providerID = String(receipt.providerID.prefix { $0 != end }) }
        receipt.messageID = first(messageID)
        if receipt.messageID.hasPrefix("<"), receipt.messageID.hasSuffix(">") {
            receipt.messageID = String(receipt.messageID.dropFirst().dropLast())
        }
        receipt.recipient = first(recipient)
        receipt.time = time.lazy.compactMap { $0.milliseconds(value) }.first
        receipt.detail = first(detail)
        // A message that bounced or a person who complains is no visit, whatever else the provider says.
        if let machine, receipt.kind == .opened || receipt.kind == .clicked {
            receipt.isMachine = !["", "false"].contains(value[machine]?.plain ?? "")
        }
        return receipt
    }

    /// One line, and no longer than it is kept.
    private static func cut(_ text: String) -> String {
        var bytes = Array(text.utf8.prefix(ProviderReceipt.textBytes).map { $0.isControl ? UInt8(ascii: " ") : $0 })
        // The cut may have parted a character.
        while !bytes.isEmpty, String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension ProviderScheme.Word {
    fileprivate func fits(_ value: JSONValue) -> Bool {
        guard let path else { return true }
        return values.contains(value[path]?.plain ?? "")
    }
}
