/// The way by which a message reaches a person.
package enum Channel: String, Codable, Sendable, CaseIterable {
    case email, sms, webhook
    /// A text by the HTTP interface of a messenger's bot or business account.
    case messenger
}
