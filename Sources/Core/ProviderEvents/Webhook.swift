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

    /// The events, each by itself: one that cannot be read is `unknown`, and harms no other.
    /// - Throws: `WebhookFault.malformed`.
    package func events() throws(WebhookFault) -> [ProviderEvent] {
        switch (scheme.form, content) {
        case (.notification, _):
            guard content["Type"]?.plain == "Notification" else { return [] }
            guard let message = content["Message"]?.plain, let value = JSONValue(Array(message.utf8)) else {
                throw .malformed("no JSON in Message")
            }
            return [scheme.event(value)]
        case (_, .list(let items)):
            guard items.count <= WebhookRequest.mostEvents else { throw .malformed("\(items.count) events") }
            return items.map(scheme.event)
        case (_, .object): return [scheme.event(content)]
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
    func event(_ value: JSONValue) -> ProviderEvent {
        func first(_ paths: [String]) -> String {
            let text = paths.lazy.compactMap { value[$0]?.plain }.first { !$0.isEmpty } ?? ""
            return Self.cut(text)
        }
        let word = first(self.word)
        let kind = words.first { $0.word == word && $0.fits(value) }?.kind
        var event = ProviderEvent(kind ?? .unknown, word: word)
        event.providerID = first(providerID)
        if let end = providerIDEnd { event.providerID = String(event.providerID.prefix { $0 != end }) }
        event.messageID = first(messageID)
        if event.messageID.hasPrefix("<"), event.messageID.hasSuffix(">") {
            event.messageID = String(event.messageID.dropFirst().dropLast())
        }
        event.recipient = first(recipient)
        event.time = time.lazy.compactMap { $0.milliseconds(value) }.first
        event.detail = first(detail)
        if let machine { event.isMachine = !["", "false"].contains(value[machine]?.plain ?? "") }
        return event
    }

    /// One line, and no longer than it is kept.
    private static func cut(_ text: String) -> String {
        var bytes = Array(text.utf8.prefix(ProviderEvent.longest).map { $0.isControl ? UInt8(ascii: " ") : $0 })
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
