# Components are parts of a room that a missing library leaves out: sources NAME_*.cpp with the
# library, the stand-in without_NAME.cpp, which says what is missing, without it; tests NAME_*.cpp.
function(ferplus_drop_missing_components list)
  foreach(component IN ITEMS ONNX:onnx JPEG:jpeg DETECTION:dlib TENSORBOARD:tensorboard
                          HTTP:http)
    string(REPLACE ":" ";" component ${component})
    list(GET component 0 switch)
    list(GET component 1 name)
    if(FERPLUS_${switch})
      list(FILTER ${list} EXCLUDE REGEX "/without_${name}\\.cpp$")
    else()
      list(FILTER ${list} EXCLUDE REGEX "/${name}_[^/]*\\.cpp$")
    endif()
  endforeach()
  set(${list} ${${list}} PARENT_SCOPE)
endfunction()
