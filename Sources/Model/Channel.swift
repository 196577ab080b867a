/// The way by which a message reaches a person.
package enum Channel: String, Codable, Sendable, CaseIterable {
    case email, sms, webhook
}
