/// Why the sink cannot be started: what is wrong, and what would be right.
package struct SinkError: Error, CustomStringConvertible, Equatable {
    package let description: String
    package init(_ description: String) { self.description = description }
}
