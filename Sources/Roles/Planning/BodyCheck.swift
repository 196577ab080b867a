package import Model
import Policy
import Templates

/// Finds the recipients whose values would make the body of a message invalid JSON. It costs nothing for a template that is JSON with
/// all values, as nearly all are.
package struct BodyCheck: Sendable {
    private let composer: BodyComposer

    /// - Returns: nil where no recipient's values can spoil the body, or where it is no JSON anyway.
    /// - Throws: `TemplateError` with all that is wrong in the templates.
    package init?(_ mailing: Mailing, _ provider: Provider) throws {
        guard mailing.channel != .email else { return nil }
        composer = try BodyComposer(mailing: mailing, provider: provider)
        if composer.format != .json || composer.isAlwaysJSON { return nil }
    }

    /// What is wrong with a recipient's body; nil for nothing.
    func fault(_ recipients: Recipients, row: Int) -> String? { composer.jsonFault(recipients, row: row) }

    /// Looks whether the template is JSON for anybody.
    /// - Returns: what to say where none of the first recipients can be sent to; each of them is excluded, and the others may be good.
    /// - Throws: `TemplateError` for a template that no values make JSON; `InputError`.
    func tryOut(_ planner: consuming RecipientPlanner) throws -> String? {
        try composer.checkJSON()
        var chunk = planner.makeChunk()
        var first: String?
        var rows = 0
        for _ in 0..<100 {
            guard try planner.next(&chunk) else { break }
            guard !chunk.recipients.isEmpty else { continue }
            guard let fault = composer.jsonFault(chunk.recipients, row: 0) else { return nil }
            first = first ?? fault
            rows += 1
        }
        return first.map { composer.jsonWarning($0, rows: rows) }
    }
}
