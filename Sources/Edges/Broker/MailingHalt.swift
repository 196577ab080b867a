/// A worker's request to pause a mailing.
package struct MailingHalt: Sendable, Hashable {
    /// Why the worker asks.
    package enum Cause: String, Sendable {
        /// The provider refuses us; also where an older worker sends no cause.
        case refusal = ""
        /// The worker cannot send it at all: the provider is unknown there, or the definition cannot be read.
        case unsendable
    }

    package var cause: Cause
    /// Why, for people.
    package var text: String

    package init(_ cause: Cause, _ text: String) {
        self.cause = cause
        self.text = text
    }
}
