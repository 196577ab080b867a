import Foundation
import Model

extension AuditedValues {
    /// A JSON object with its keys in order.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// What orders change of a mailing's state.
    init(state record: MailingRecord) {
        self.init()
        state = record.state.rawValue
        if !record.stateReason.words(record.state).isEmpty { reason = record.stateReason.words(record.state) }
    }
}
