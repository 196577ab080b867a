import Model
import Receipts
import Text

/// The webhooks of the settings, and what they lack.
struct WebhookSettings {
    private(set) var webhooks: [String: Settings.Webhook] = [:]
    private(set) var problems: [SettingsError.Problem] = []

    /// - Parameter places: the place of each name's first mention.
    init(_ places: [String: String], _ reader: SettingsReader) {
        for (name, place) in places.sorted(by: { $0.key < $1.key }) {
            let key = "tracker.webhooks.\(name)"
            func refuse(_ part: String, _ text: String) {
                problems.append(SettingsError.Problem(place: place, key: "\(key).\(part)", text: text))
            }
            guard let kind = reader.value(SettingsTable.webhookKind, name) else {
                refuse("kind", "is missing; allowed: \(Self.kinds), or a YAML file")
                continue
            }
            var scheme = ProviderScheme.named(kind)
            if scheme == nil, kind.contains("/") || kind.hasSuffix(".yaml") || kind.hasSuffix(".yml") {
                let file = WebhookDefinitionFile.read(kind)
                problems += file.problems
                scheme = file.scheme
                guard scheme != nil else { continue }
            }
            guard let scheme else {
                refuse("kind", "'\(kind.prefix(80))' is not allowed; allowed: \(Self.kinds), or a YAML file")
                continue
            }
            let named = reader.value(SettingsTable.webhookProvider, name) ?? name
            var webhook = Settings.Webhook(scheme: scheme, provider: ProviderURL.name(of: named))
            webhook.secret = reader.value(SettingsTable.webhookSecret, name)
            webhook.topic = reader.value(SettingsTable.webhookTopic, name)
            let isAmazon = scheme.signature == .notificationService
            if isAmazon, webhook.topic == nil { refuse("topic", "is missing: the ARN of the SNS topic; anybody can have another") }
            if !isAmazon, webhook.secret?.exposed.isEmpty ?? true { refuse("secret", "is missing; requests are verified with it") }
            webhooks[name] = webhook
        }
    }

    private static let kinds = ProviderScheme.known.map(\.name).joined(separator: ", ")
}
