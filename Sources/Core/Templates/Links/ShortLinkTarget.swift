package import Model
import Signing
import Text

/// Where a short link of a mailing's messages leads: what the worker would have written into an e-mail's link.
package struct ShortLinkTarget: Sendable {
    private let template: CompiledTemplate
    private let campaign: CampaignQuery

    /// - Parameter link: its number.
    /// - Returns: nil where the mailing has no such link.
    /// - Throws: `TemplateError` for a definition that was changed.
    package init?(_ mailing: Mailing, link: Int) throws(TemplateError) {
        guard let tracking = mailing.tracking, tracking.targets.indices.contains(link) else { return nil }
        template = try CompiledTemplate(
            Mailing.Template(source: tracking.targets[link], file: "link \(link)"), fields: mailing.fields, nested: mailing.nestedFields,
            escaping: .none)
        campaign = CampaignQuery(tracking.campaign)
    }

    /// It leads all recipients to the same place.
    package var isSame: Bool { template.columns.isEmpty && !template.isNested }

    /// The target for a recipient; nil where it has to be known who that is and is not, and where the values make no address of the web:
    /// then no message has had this link.
    /// - Parameter recipients: of the mailing's fields; nil where they are not kept any more.
    package func target(_ recipients: Recipients?, row: Int) -> [UInt8]? {
        var target: [UInt8] = []
        if let recipients, recipients.width >= template.width, 0..<recipients.count ~= row {
            // Of an erased recipient nothing is known.
            guard isSame || !recipients[row, 1].isEmpty else { return nil }
            template.render(recipients, row: row, into: &target)
        } else {
            guard isSame else { return nil }
            target = template.literals
        }
        campaign.add(to: &target)
        return target.withUnsafeBufferPointer { WebTarget.isWhole($0) } ? target : nil
    }
}
