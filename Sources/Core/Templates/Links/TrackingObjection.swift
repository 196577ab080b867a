import Model
import Text

/// Tells which recipients of a mailing are not tracked: those whose value in a column of the mailing's choice says so.
enum TrackingObjection: Sendable {
    case never
    /// The mailing names a column that its recipients do not have: nobody is tracked who may not be.
    case always
    case column(Int)

    init(_ mailing: Mailing) {
        guard let name = mailing.tracking?.unless else {
            self = .never
            return
        }
        self = mailing.fields.firstIndex(of: name).map { .column($0) } ?? .always
    }

    var columns: Set<Int> { if case .column(let column) = self { [column] } else { [] } }

    /// The recipient with these values objects.
    func holds(_ row: RowValues) -> Bool {
        switch self {
        case .never: false
        case .always: true
        case .column(let column): !Self.isConsent(row[column])
        }
    }

    /// Values that are no objection, besides the empty one. Whatever else is written is one: who is tracked against his will cannot be
    /// untracked.
    private static let consents: [StaticString] = ["0", "false", "no", "n", "f", "off", "null"]

    /// - Parameter value: with or without white space around it, in any case.
    static func isConsent(_ value: Bytes) -> Bool {
        if value.isEmpty { return true }
        let value = value.trimmed
        return value.isEmpty
            || consents.contains { word in
                word.utf8CodeUnitCount == value.count && (0..<value.count).allSatisfy { value[$0].lowercased == word.utf8Start[$0] }
            }
    }
}
