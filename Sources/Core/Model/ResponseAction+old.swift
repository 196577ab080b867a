/// The names of before, for code that is written at the same time as this.
package typealias ResponseClass = ResponseAction

extension ResponseAction {
    package static let accepted = ResponseAction.accept
    package static let temporary = ResponseAction.retry
    package static let throttled = ResponseAction.slowDown
    package static let domainThrottled = ResponseAction.slowDownDomain
    package static let unreachable = ResponseAction.reconnect
    package static let badRecipient = ResponseAction.fail
    package static let rejected = ResponseAction.fail
    package static let misconfigured = ResponseAction.pauseMailing
}

extension ProviderResponse {
    package var kind: ResponseAction { action }
}
