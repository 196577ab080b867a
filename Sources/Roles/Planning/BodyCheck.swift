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

    /// Makes sure that some of the first recipients can be sent to: a template that is no JSON for any of them is broken.
    /// - Throws: `TemplateError` that shows the place in the first one's body; `InputError`.
    func tryOut(_ planner: consuming RecipientPlanner) throws {
        var chunk = planner.makeChunk()
        var first: TemplateError?
        for _ in 0..<100 {
            guard try planner.next(&chunk) else { break }
            guard !chunk.recipients.isEmpty else { continue }
            do throws(TemplateError) {
                return try composer.checkJSON(chunk.recipients, row: 0)
            } catch {
                first = first ?? error
            }
        }
        if let first { throw first }
    }
}
