package import Ledger

/// Why an order was not carried out; nothing was changed.
package enum OrderError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The order does not fit; the text says why, and what to do.
    case refused(String)
    case ledger(LedgerError)

    package var description: String {
        switch self {
        case .refused(let text): text
        case .ledger(let error): error.description
        }
    }

    /// Runs `body`, and gives the ledger's errors as this one's.
    static func mapping<Value: Sendable>(
        _ body: () async throws(LedgerError) -> Value
    ) async throws(OrderError) -> Value {
        do { return try await body() } catch { throw .ledger(error) }
    }
}
