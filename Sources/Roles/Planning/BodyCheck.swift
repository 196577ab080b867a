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

    /// Looks whether the template is JSON for anybody.
    /// - Returns: what to say where none of the first recipients can be sent to; each of them is excluded, and the others may be good.
    /// - Throws: `TemplateError` for a template that no values make JSON; `InputError`.
    func tryOut(_ planner: consuming RecipientPlanner) throws -> TemplateError.Problem? {
        guard case .body(let composer) = part else { return nil }
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
