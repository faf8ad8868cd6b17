// SPDX-License-Identifier: MIT
import Platform

/// Finds the file that describes the board.
struct BoardLookup {
  /// The program's path as it was started; board files may lie near it.
  let program: ByteString
  /// Where packages install the board's own file.
  var systemFile: ByteString = "/etc/tinygateway/board.yaml"
  /// Folders of named boards besides those near the program and the working directory.
  var systemFolders: [ByteString] = [
    "/etc/tinygateway/board-configs", "/usr/share/tinygateway/board-configs",
  ]

  /// The path of a wanted board: a path with a slash or `.yaml` as it is, else a name in
  /// `board-configs`; nil when there is no such name.
  func path(of wanted: ByteString) -> ByteString? {
    let isPath =
      wanted.bytes.contains(UInt8(ascii: "/"))
      || wanted.bytes.suffix(5).elementsEqual(ByteString(".yaml").bytes)
    if isPath { return wanted }
    return folders.map { $0 + "/" + wanted + ".yaml" }.first { File.exists($0) }
  }

  /// The file that applies when no board is wanted by name; nil for none.
  ///
  /// `dataDirectory` is nil when the board may still decide where the data is.
  func installedFile(dataDirectory: ByteString?, defaultDirectory: ByteString) -> ByteString? {
    if let dataDirectory, File.exists(dataDirectory + "/board.yaml") {
      return dataDirectory + "/board.yaml"
    }
    if File.exists(systemFile) { return systemFile }
    guard dataDirectory == nil, File.exists(defaultDirectory + "/board.yaml") else { return nil }
    return defaultDirectory + "/board.yaml"
  }

  /// Folders of named boards, nearest first; the last ones serve binaries in `dist/TARGET/` and
  /// in a build directory.
  var folders: [ByteString] {
    var folders: [ByteString] = ["board-configs"]
    if program.bytes.contains(UInt8(ascii: "/")) {
      var folder = File.directory(of: program)
      for _ in 0..<4 {
        folders.append(folder + "/board-configs")
        folder = folder + "/.."
      }
    }
    return folders + systemFolders
  }
}
