/// How long things take that have to do with permits, apart from their rest. The same in the whole fleet.
package struct PermitTimings: Sendable, Hashable {
    /// A permit counts for this long after the broker last answered on its channel, and no longer. Who finds a
    /// permit that another may still hold, or seeds anew, waits for as long.
    package var holding = Duration.milliseconds(500)
    /// A permit is handed out only if the broker has answered something that was asked this recently.
    package var proof = Duration.milliseconds(100)
    /// A pod that wants nothing for this long lets go of what it holds.
    package var idle = Duration.milliseconds(300)
    /// From a new connection to its first permit: time to learn of pauses from other pods.
    package var grace = Duration.milliseconds(300)
    /// From one count of the permits to the next.
    package var census = Duration.seconds(5)

    package init() {}
}
