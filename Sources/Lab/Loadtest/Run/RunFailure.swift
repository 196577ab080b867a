/// The run could not be made, or not to its end; the sentence says why and what to do.
package struct RunFailure: Error, CustomStringConvertible, Sendable {
    package let description: String

    package init(_ description: String) { self.description = description }
}
