# Files of these targets are compiled several at a time: their long headers are read, and what they
# instantiate is made, once for all of a batch. That halves the time of a build from nothing; lint
# compiles each file alone, so that a header that is not included is still found.
set(SIGNET_UNITY_BATCH 5 CACHE STRING "files compiled at a time; 1 compiles each alone")

# Two files that use a name of their own for two things can't be compiled together.
set_source_files_properties(
  src/broker/broker_secrets_test.cc src/broker/hub_engines.cc src/broker/hub_home.cc
  src/broker/status_test.cc
  src/client/client_topics.cc src/client/http.cc src/client/outbox_pump_test.cc src/client/sealing_test.cc
  src/client/session_test.cc src/client/state_outbox.cc
  src/net/outgoing_socket_tls_test.cc src/net/tcp_connection_waiting_test.cc
  PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)

# Of the others the files are few or small.
set(SIGNET_UNITY_TARGETS
  admin admin_test broker broker_test client client_test controller controller_test jobs jobs_test
  membership membership_test net_test signet_cli signet_test signetd_parts store)

function(signet_compile_together target)
  if(target IN_LIST SIGNET_UNITY_TARGETS AND SIGNET_UNITY_BATCH GREATER 1)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON
                                               UNITY_BUILD_BATCH_SIZE ${SIGNET_UNITY_BATCH})
  endif()
endfunction()
