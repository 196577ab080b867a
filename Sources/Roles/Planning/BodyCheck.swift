package import Model
import Policy
import Templates

/// Finds the recipients whose values would make the body of a message invalid JSON, or its Reply-To no address. It costs nothing for a
/// template that is JSON with all values, as nearly all are, and for an address that is the same for all.
package struct BodyCheck: Sendable {
    private enum Part {
        case body(BodyComposer)
        case replyTo(ReplyAddress)
    }

    private let part: Part

    /// - Returns: nil where no recipient's values can spoil the message.
    /// - Throws: `TemplateError` with all that is wrong in the templates.
    package init?(_ mailing: Mailing, _ provider: Provider) throws {
        if mailing.channel == .email {
            guard let replyTo = try ReplyAddress(mailing) else { return nil }
            part = .replyTo(replyTo)
            return
        }
        let composer = try BodyComposer(mailing: mailing, provider: provider)
        if composer.format != .json || composer.isAlwaysJSON { return nil }
        part = .body(composer)
    }

    /// What is wrong with a recipient's message; nil for nothing.
    func fault(_ recipients: Recipients, row: Int) -> (reason: ExclusionReason, detail: String)? {
        switch part {
        case .body(let composer): composer.jsonFault(recipients, row: row).map { (.invalidBody, $0) }
        case .replyTo(let address): address.fault(recipients, row: row).map { (.invalidRow, $0) }
        }
    }

    /// Makes sure that some of the first recipients can be sent to: a template that is no JSON for any of them is broken.
    /// - Throws: `TemplateError` that shows the place in the first one's body; `InputError`.
    func tryOut(_ planner: consuming RecipientPlanner) throws {
        guard case .body(let composer) = part else { return }
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
