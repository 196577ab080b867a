/// Who receives the messages of a made-up trace, and what their machines do: docs/tracking.md has where each number is from.
package struct VisitPopulation: Sendable {
    /// Links that messages have.
    package var links = 1...12

    // Scanners

    /// Of all recipients, those whose mail a scanner reads.
    package var scanned = 0.2
    /// From the sending of a message to its scanner's burst, in seconds: log-normal.
    package var burstDelay = (median: 43.0, spread: 1.5)
    /// Between two requests of a burst, in seconds: log-normal.
    package var burstGap = (median: 0.06, spread: 0.9)
    /// Of bursts, those that begin with the pixel.
    package var burstsWithPixel = 0.6
    /// Of bursts, those that ask for each link by HEAD before GET.
    package var burstsWithHead = 0.15
    /// Of bursts, those that name a scanner in the user agent; the others pass for a browser.
    package var burstsWithName = 0.15
    /// Of bursts, those that come again, half an hour later.
    package var burstsAgain = 0.2
    /// Of scanners, those that follow one or two links only, which is no burst.
    package var loneScanners = 0.1

    // People

    /// Of recipients, those who open the message, and of those, who follow a link.
    package var opened = 0.35
    package var clicked = 0.2
    /// From the sending to the reading, in seconds: log-normal. Some read while the scanner is at work.
    package var readingDelay = (median: 7200.0, spread: 2.2)
    /// Between two links of a reader, in seconds: log-normal.
    package var readingGap = (median: 9.0, spread: 1.1)
    /// Of those who follow links, those who open several at once in tabs, and how fast they are.
    package var tabbers = 0.02
    package var tabGap = (median: 1.1, spread: 0.35)
    /// Of clicks, those that come twice within half a second.
    package var doubleClicks = 0.03
    /// Of people behind scanners, those whose clicks leave by their gateway's address, as the scanner's do.
    package var sharedAddresses = 0.3

    // Mail programs

    /// Of opens, those by Apple's proxy, which loads pictures of half of its messages unread, and by Gmail's and Yahoo's.
    package var apple = 0.45
    package var gmail = 0.25
    package var yahoo = 0.05
    /// Of Gmail's opens, those with a prefetch before.
    package var gmailPrefetch = 0.04

    package init() {}
}
