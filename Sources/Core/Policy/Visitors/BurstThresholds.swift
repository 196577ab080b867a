/// From when on visits that come together are a machine's. "So many seconds after the sending" is none of them: bursts come a median of
/// 43 s after it, and people as early.
package struct BurstThresholds: Sendable, Equatable {
    /// How far apart the first and the last visit of a burst may be, in milliseconds.
    package var window: Int64 = 2000
    /// Distinct links of one recipient in the window that are a burst.
    package var links = 5
    /// Of a message, or a part of it, with at least so many links, all of them in the window are a burst.
    package var allOf = 3
    /// How long before a burst its visitor may have loaded the pixel, in milliseconds.
    package var pixelBefore: Int64 = 10_000
    /// Recipients of one domain who follow the same link in the window.
    package var domainRecipients = 5
    /// The share of the domain's recipients of the mailing, in percent, that they must be at least: of a large domain some always meet.
    package var domainShare = 10

    package init() {}
}
